import { canonicalJson } from '@pawl/core';
import {
  type Definition,
  type EventHandler,
  type IncomingEvent,
  type Played,
  PlayedRun,
  type StepDefinition,
} from '@pawl/workflow';

/** What can happen next. Events and timeouts by their index. */
export type Move =
  | { readonly kind: 'deliver'; readonly event: number }
  | { readonly kind: 'step'; readonly name: string }
  | { readonly kind: 'undo' }
  | { readonly kind: 'fire'; readonly timeout: number }
  | { readonly kind: 'drop'; readonly event: number };

/** One moment of one course of events. */
export interface Position {
  readonly run: PlayedRun;
  /** How often each event has come; -1 if it never will. */
  readonly arrived: readonly number[];
  /** Something was decided by a race that the workflow declares: how it ends may depend on the order. */
  readonly raced: boolean;
}

export interface GameOptions {
  /** How often each event may come. */
  readonly copies: number;
  /** Indexes of events that may be lost for ever. */
  readonly drops: readonly number[];
  /** What steps return, by name: a value, or a function of the data. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Names of steps that give up. */
  readonly failing: readonly string[];
  /** Whether timeouts fire. */
  readonly timers: boolean;
}

/** A move that was made: where it leads, and what followed from it. */
export interface Made {
  readonly after: Position;
  readonly played?: Played;
}

/** The events of one run, and what can happen to it while they come in some order. */
export class Game {
  readonly start: Position;

  constructor(
    readonly definition: Definition,
    readonly events: readonly IncomingEvent[],
    private readonly options: GameOptions,
  ) {
    this.start = { run: PlayedRun.of(definition), arrived: events.map(() => 0), raced: false };
  }

  moves({ run, arrived }: Position): Move[] {
    const { copies, drops, timers } = this.options;
    const delivered = arrived.flatMap((count, event): Move[] =>
      count >= 0 && count < copies ? [{ kind: 'deliver', event }] : [],
    );
    const dropped = drops.filter((event) => arrived[event] === 0);
    return [
      ...delivered,
      ...this.work(run),
      ...(timers
        ? run.timeouts.map((each): Move => ({ kind: 'fire', timeout: this.timeoutIndex(each) }))
        : []),
      ...dropped.map((event): Move => ({ kind: 'drop', event })),
    ];
  }

  /** What the engine would do now. */
  work(run: PlayedRun): Move[] {
    const steps = run.due.map(({ name }): Move => ({ kind: 'step', name }));
    return run.toUndo === undefined ? steps : [...steps, { kind: 'undo' }];
  }

  /** Every event has come or never will, and there is nothing to do. */
  isAtRest({ run, arrived }: Position): boolean {
    return arrived.every((count) => count !== 0) && this.work(run).length === 0;
  }

  /** The position after a move; the same one if the move is impossible, or if nothing would come of it that could not come without it. */
  make(move: Move, before: Position): Made {
    switch (move.kind) {
      case 'deliver':
        return this.deliver(move.event, before);
      case 'drop': {
        const possible = before.arrived[move.event] === 0;
        return { after: possible ? { ...counted(before, move.event, -1), raced: true } : before };
      }
      case 'step': {
        const step = before.run.due.find(({ name }) => name === move.name);
        return step ? this.went(before, this.perform(step, before.run)) : { after: before };
      }
      case 'undo':
        return before.run.toUndo ? this.went(before, before.run.undo()) : { after: before };
      case 'fire': {
        const timeout = this.definition.timeouts[move.timeout];
        if (!timeout || !before.run.timeouts.includes(timeout)) return { after: before };
        return this.went({ ...before, raced: true }, before.run.fire(timeout));
      }
    }
  }

  /** Whether the end may depend on when this event comes, because its handler says so. */
  mayRace(event: number): boolean {
    return this.handlersOf(this.events[event]?.type ?? '').some(
      ({ competes, late }) => competes || late === 'ignore',
    );
  }

  private deliver(event: number, before: Position): Made {
    const count = before.arrived[event] ?? -1;
    const incoming = this.events[event];
    if (incoming === undefined || count < 0 || count >= this.options.copies) return { after: before };
    const { after, played } = this.went(counted(before, event, count + 1), before.run.receive([incoming]));
    // A copy that changes nothing: all that can follow can follow without it too.
    const idle = count > 0 && after.raced === before.raced && isSame(after.run, before.run);
    return { after: idle ? before : after, ...(played && { played }) };
  }

  private perform(step: StepDefinition, run: PlayedRun): Played {
    const { failing, outputs } = this.options;
    if (failing.includes(step.name)) return run.giveUp(step);
    const output = outputs[step.name] ?? null;
    return run.finish(
      step,
      typeof output === 'function' ? plain(output(structuredClone(run.run.data))) : output,
    );
  }

  private went(before: Position, played: Played): Made {
    const raced = before.raced || this.isRace(played);
    return { after: { ...before, run: played.after, raced }, played };
  }

  /** Whether an event was applied whose race is declared, or one was late that may be. */
  private isRace({ change }: Played): boolean {
    const competing = change.journal.some(
      ({ kind, verdict, name, fromState }) =>
        kind === 'event' &&
        verdict === 'applied' &&
        this.handlersOf(name).some((handler) => handler.competes && handler.in.includes(fromState ?? '')),
    );
    const ignored = change.repeats.some(
      ({ type, rule }) =>
        (rule === 'never-applied' || rule === 'past-no-return') &&
        this.handlersOf(type).some(({ late }) => late === 'ignore'),
    );
    return competing || ignored;
  }

  private handlersOf(type: string): EventHandler[] {
    return this.definition.handlers.filter((handler) => handler.type === type);
  }

  private timeoutIndex(timeout: PlayedRun['timeouts'][number]): number {
    return this.definition.timeouts.indexOf(timeout);
  }
}

function counted(position: Position, event: number, count: number): Position {
  return { ...position, arrived: position.arrived.with(event, count) };
}

function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

function isSame(one: PlayedRun, other: PlayedRun): boolean {
  return one === other || runKey(one) === runKey(other);
}

/** Equal for runs of which the same can become. */
function runKey(run: PlayedRun): string {
  const known = keys.get(run);
  if (known !== undefined) return known;
  const { run: row, parked, applied, steps, fired, messages, losses, deadLetters } = run.rows;
  const key = [
    canonical(row.data),
    canonical(row.marks),
    Object.entries(applied).flat().sort().join(' '),
    JSON.stringify([row.state, row.status, row.attention, row.undo, row.noReturn, fired]),
    ...steps.map(({ name, undoes, status, output }) => JSON.stringify([name, undoes, status, output])),
    ...parked.map(({ type, subject, digest }) => `${type} ${subject} ${digest}`).sort(),
    ...messages.map(({ type, payload }) => `${type} ${JSON.stringify(payload)}`).sort(),
    ...distinct(losses.map(({ type, subject, rule }) => `${type} ${subject} ${rule}`)),
    ...distinct(deadLetters.map(({ type, subject, rule }) => `${type} ${subject} ${rule}`)),
  ].join('\n');
  keys.set(run, key);
  return key;
}

const keys = new WeakMap<PlayedRun, string>();

/** Most moves leave data and marks as they were: the same objects. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return canonicalJson(value);
  const text = texts.get(value) ?? canonicalJson(value);
  texts.set(value, text);
  return text;
}

const texts = new WeakMap<object, string>();

/** Equal for positions from which the same can follow. */
export function positionKey({ run, arrived, raced }: Position): string {
  return `${arrived.join(',')} ${raced} ${runKey(run)}`;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
