import { invariant } from '@pawl/core';
import type { OutgoingMessage } from '@pawl/messaging';
import type { Change, Undeliverable } from '../model/change.js';
import {
  type Definition,
  EVERY_STATE,
  type StepDefinition,
  type TimeoutDefinition,
} from '../model/definition.js';
import type { IncomingEvent, ParkedEvent } from '../model/event.js';
import type { Run } from '../model/run.js';
import { stepRecord, type StepRecord } from '../model/step-record.js';
import { advance, type Input } from './advance.js';
import { awaitedRun } from './awaited-run.js';
import { pairKey, toLookUp } from './facts.js';
import { beginUndo, hasEnded } from './position.js';
import { afterGivingUp } from './steps/step-failure.js';
import { afterStep, dueSteps, restingOrRunning } from './steps/steps.js';
import { instantOf } from './timers/timer-instant.js';
import { afterUndo, toUndo } from './steps/undo.js';

/** What has become of a run, and of whom it was told. */
export interface Played {
  readonly after: PlayedRun;
  readonly change: Change;
}

/** What a store would keep of a run. */
export interface PlayedRows {
  readonly run: Run;
  /** Events that wait. */
  readonly parked: readonly ParkedEvent[];
  /** Content digests of the applied events, by type and subject. */
  readonly applied: Readonly<Record<string, string>>;
  readonly steps: readonly StepRecord[];
  /** Timeouts that have fired, as `state member`. */
  readonly fired: readonly string[];
  readonly messages: readonly OutgoingMessage[];
  readonly losses: readonly Undeliverable[];
  readonly deadLetters: readonly Undeliverable[];
}

/**
 * One run and its rows without a database: what a store would keep, decided by the same pure machine. For test kits, which play a workflow through
 * many orders of what can happen. Immutable: each move answers the run afterwards. A step is one move, for whether its effect took place is a matter
 * of the store; who calls says what it returned.
 */
export class PlayedRun {
  private constructor(
    readonly definition: Definition,
    readonly rows: PlayedRows,
  ) {}

  static of(
    definition: Definition,
    { id = RUN_ID, key = 'A-1' }: { id?: string; key?: string } = {},
  ): PlayedRun {
    const run = awaitedRun({ id, workflow: definition.workflow, key });
    const none = { parked: [], applied: {}, steps: [], fired: [], messages: [], losses: [], deadLetters: [] };
    return new PlayedRun(definition, { run, ...none });
  }

  get run(): Run {
    return this.rows.run;
  }

  /** What is delivered in one transaction. */
  receive(inputs: readonly Input[]): Played {
    const events = inputs.filter((input): input is IncomingEvent => 'payload' in input);
    const fetched = new Set(toLookUp(this.definition, this.run, events).map(keyOf));
    const known = (type: string, subject: string): string | undefined =>
      fetched.has(pairKey(type, subject)) ? this.rows.applied[pairKey(type, subject)] : undefined;
    const change = advance(this.definition, this.run, { inputs, parked: this.rows.parked, known });
    const isIdle = change.journal.length === 0 && change.losses.length === 0;
    return { after: isIdle ? this : this.with(change), change };
  }

  /** The steps that may be at work now. */
  get due(): readonly StepDefinition[] {
    return dueSteps(this.definition, this.run, this.rows.steps);
  }

  /** A step that was due has returned. */
  finish(step: StepDefinition, output: unknown): Played {
    const { definition, run } = this;
    const { steps } = this.rows;
    const { run: after } = afterStep(definition, run, step.name, steps);
    const records = [
      ...steps,
      stepRecord({ name: step.name, status: 'done', output, intendedMs: steps.length }),
    ];
    return this.but({ run: after, steps: records }).settle();
  }

  /** A step that was due has given up: its attempts are spent, and none took effect. */
  giveUp(step: StepDefinition): Played {
    const { definition, run } = this;
    const steps = [
      ...this.rows.steps,
      stepRecord({ name: step.name, status: 'failed', intendedMs: this.rows.steps.length }),
    ];
    const undoes = afterGivingUp(definition, run, step, steps) === 'compensating';
    const after: Run = undoes ? beginUndo(run, 'compensated') : { ...run, status: 'failed' };
    return this.but({ run: after, steps }).settle();
  }

  /** The step whose effect is to be undone next. */
  get toUndo(): StepDefinition | undefined {
    return toUndo(this.definition, this.run, this.rows.steps)[0]?.step;
  }

  /** The compensation of {@link toUndo} has returned. */
  undo(): Played {
    const { compensation, name: undoes = null } = this.toUndo ?? {};
    invariant(compensation, 'Something is to be undone');
    const { length: intendedMs } = this.rows.steps;
    const done = stepRecord({
      name: compensation.name,
      kind: 'compensation',
      undoes,
      status: 'done',
      intendedMs,
    });
    return this.but({ steps: [...this.rows.steps, done] }).settle();
  }

  /** The timeouts that can fire where the run is. */
  get timeouts(): readonly TimeoutDefinition[] {
    if (hasEnded(this.run) || this.run.state === null) return [];
    return this.definition.timeouts.filter(
      (timeout) =>
        [this.run.state, EVERY_STATE].includes(timeout.in) &&
        !this.rows.fired.includes(firedName(timeout)) &&
        (timeout.at === undefined || instantOf(timeout, this.run.data).kind === 'at'),
    );
  }

  /** One of {@link timeouts} fires. */
  fire(timeout: TimeoutDefinition): Played {
    const { member, in: state } = timeout;
    const fired = this.but({ fired: [...this.rows.fired, firedName(timeout)] });
    return fired.receive([{ member, state, round: this.run.round, fireAt: AT }]);
  }

  /** Decides what waits again, after something has changed. */
  private settle(): Played {
    return this.receive([]);
  }

  private with(change: Change): PlayedRun {
    const gone = new Set([...change.unparked, ...change.parked].map(keyOf));
    const applied = change.journal
      .filter(({ kind, verdict }) => kind === 'event' && verdict === 'applied')
      .map(({ name, subject, digest }) => [pairKey(name, subject), digest ?? '']);
    return this.but({
      run: change.run,
      parked: [...this.rows.parked.filter((event) => !gone.has(keyOf(event))), ...change.parked],
      applied: { ...this.rows.applied, ...Object.fromEntries(applied) },
      messages: [...this.rows.messages, ...change.messages],
      losses: [...this.rows.losses, ...change.losses],
      deadLetters: [...this.rows.deadLetters, ...change.deadLetters],
    });
  }

  private but(changed: Partial<PlayedRows>): PlayedRun {
    const { definition } = this;
    const rows = { ...this.rows, ...changed };
    const run = afterUndo(definition, restingOrRunning(definition, rows.run, rows.steps), rows.steps);
    return new PlayedRun(definition, { ...rows, run });
  }
}

const RUN_ID = '0195c0de-0000-7000-8000-000000000001';
/** Instants are the caller's order here: everything happens when it is played. */
const AT = new Date('2026-01-01T12:00:00Z');

function keyOf({ type, subject }: { readonly type: string; readonly subject: string }): string {
  return pairKey(type, subject);
}

function firedName({ in: state, member }: TimeoutDefinition): string {
  return `${state} ${member}`;
}
