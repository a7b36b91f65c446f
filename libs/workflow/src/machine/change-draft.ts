import type { OutgoingMessage } from '@pawl/messaging';
import { v5 as uuidv5 } from 'uuid';
import type { Change, JournalEntry, Repeat, Undeliverable } from '../model/change.js';
import type { EventHandler, TimeoutDefinition } from '../model/definition.js';
import type { IncomingEvent, ParkedEvent } from '../model/event.js';
import type { AskedUpdate, UpdateVerdict } from '../model/update.js';
import type { TimerChanges } from '../model/timer.js';
import type { Decision, Receipt, Rule } from '../model/verdict.js';
import type { Run } from '../model/run.js';
import { type Facts, pairKey } from './facts.js';
import type { Recognised } from './recognise.js';
import { storableText } from './storable.js';
import type { TimersAfter } from './timers/timers.js';

type Parked = ParkedEvent & { readonly parkedMaxMs: number };

/** Collects what follows from the inputs of one run, and answers later decisions with what earlier ones have done. */
export class ChangeDraft {
  run: Run;
  private waiting: readonly ParkedEvent[];
  private readonly applied = new Map<string, string>();
  private readonly journal: JournalEntry[] = [];
  private readonly keys: { type: string; key: string; digest: string }[] = [];
  private readonly repeats: Repeat[] = [];
  private readonly deadLetters: Undeliverable[] = [];
  private readonly losses: Undeliverable[] = [];
  private readonly messages: OutgoingMessage[] = [];
  /** Timeouts whose timer was due, but not any more by the data of the moment. */
  readonly overtaken = new Set<TimeoutDefinition>();
  private timers: TimerChanges = { keep: 'all', cancel: [], start: [] };

  constructor(
    readonly before: Run,
    private readonly facts: Facts,
  ) {
    this.run = before;
    this.waiting = facts.parked;
  }

  /** What is known now, the events applied meanwhile included. */
  get factsNow(): Facts {
    return { parked: this.waiting, known: (type, subject) => this.known(type, subject) };
  }

  /** An event is folded: `run` is the run after it. */
  accept(run: Run, { event, handler, subject }: Recognised, decision: Decision): void {
    const from = this.run.state;
    this.run = run;
    this.applied.set(pairKey(event.type, subject.text), event.digest);
    if (subject.kind === 'key') this.keys.push({ type: event.type, key: subject.key, digest: event.digest });
    this.write(from, eventFacts(event, subject.text, decision));
    if (handler.publish) this.messages.push(forwarded(this.run, event, handler.publish));
  }

  park(recognised: Recognised, decision: Decision): void {
    const { event, handler, subject } = recognised;
    const parked: Parked = { ...event, subject: subject.text, parkedMaxMs: handler.parkedMaxMs };
    this.waiting = [...this.waiting, parked];
    this.write(this.run.state, eventFacts(event, subject.text, decision));
  }

  unpark(event: ParkedEvent): void {
    this.waiting = this.waiting.filter((one) => one !== event);
  }

  /** A duplicate or late event; one that never had its effect is a loss, unless that is declared to be fine. */
  repeat(event: IncomingEvent, subject: string, decision: Decision, late: EventHandler['late']): void {
    const { verdict, rule } = decision;
    this.repeats.push({ type: event.type, subject, verdict, rule });
    if ((rule === 'never-applied' || rule === 'past-no-return') && late === 'record') {
      this.losses.push(undeliverable(event, subject, decision));
    }
  }

  reject(event: IncomingEvent, subject: string, decision: Decision): void {
    if (decision.rule === 'conflicting-content') {
      this.run = {
        ...this.run,
        attention: this.run.attention ?? `conflicting-content: ${decision.detail ?? ''}`,
      };
    }
    this.deadLetters.push(undeliverable(event, subject, decision));
    this.write(this.run.state, eventFacts(event, subject, decision));
  }

  /** A timer has fired: `run` is the run after it. */
  fire(run: Run, member: string, failure?: Decision): void {
    const from = this.run.state;
    this.run = run;
    this.write(from, { ...NO_EVENT, kind: 'timer', name: member, ...(failure && verdictOf(failure)) });
  }

  /** An update is made: `run` is the run after it. Its answer is kept, for whoever asks again under its id. */
  update(run: Run, { id, member, input, digest, source }: AskedUpdate, answer: unknown): void {
    const from = this.run.state;
    this.run = run;
    const facts = {
      kind: 'update' as const,
      name: member,
      digest,
      payload: { input, answer },
      eventId: id,
      source,
    };
    this.write(from, { ...NO_EVENT, ...facts });
  }

  /** What all of it means for the run's timers; one that can not start asks for a person. */
  setTimers({ failed, ...timers }: TimersAfter): void {
    this.timers = timers;
    for (const { member, detail } of failed) this.askForPerson(member, 'handler-failed', detail);
  }

  /** A timer could not do what it is for. */
  askForPerson(member: string, rule: Rule, detail: string): void {
    const attention = this.run.attention ?? `${rule}: ${detail}`;
    this.fire({ ...this.run, attention }, member, { verdict: 'rejected', rule, detail });
  }

  receipt(decision: Decision): Receipt {
    const { id: runId, key, status, state } = this.run;
    return { ...decision, runId, key, status, state };
  }

  finish(receipts: readonly Receipt[], updates: readonly UpdateVerdict[] = []): Change {
    const { before, journal, keys, repeats, deadLetters, losses, messages } = this;
    const run = { ...this.run, parkedCount: this.waiting.length };
    const moved = run.state !== before.state || run.round !== before.round;
    const parked = this.waiting.filter((event): event is Parked => 'parkedMaxMs' in event);
    const unparked = this.facts.parked.filter((event) => !this.waiting.includes(event)).map(typeAndSubject);
    const gone = { parked, unparked };
    return {
      run,
      moved,
      timers: this.timers,
      journal,
      receipts,
      updates,
      ...gone,
      keys,
      repeats,
      deadLetters,
      losses,
      messages,
    };
  }

  private known(type: string, subject: string): string | undefined {
    return this.applied.get(pairKey(type, subject)) ?? this.facts.known(type, subject);
  }

  private write(
    fromState: string | null,
    entry: Omit<JournalEntry, 'revision' | 'fromState' | 'toState'>,
  ): void {
    this.run = { ...this.run, revision: this.run.revision + 1 };
    this.journal.push({ ...entry, revision: this.run.revision, fromState, toState: this.run.state });
  }
}

/** The id follows from the journal entry, so an event forwarded twice by a crash between two tries is one message. */
function forwarded(run: Run, event: IncomingEvent, route: OutgoingMessage['route']): OutgoingMessage {
  const id = uuidv5(`${run.id}/${run.revision}`, FORWARDED);
  return { id, route, type: event.type, version: event.typeVersion, key: run.key, payload: event.payload };
}

function eventFacts(
  { type, digest, payload, id, source }: IncomingEvent,
  subject: string,
  decision: Decision,
) {
  return {
    kind: 'event' as const,
    name: type,
    subject,
    ...verdictOf(decision),
    digest,
    payload,
    eventId: id,
    source,
  };
}

function undeliverable(event: IncomingEvent, subject: string, { rule, detail }: Decision): Undeliverable {
  const { id: eventId, type, typeVersion, payload, source } = event;
  return { eventId, type, typeVersion, subject, payload, rule, detail: storedDetail(detail), source };
}

function verdictOf({ verdict, rule, detail }: Decision) {
  return { verdict, rule, detail: storedDetail(detail) };
}

/** It may quote a payload, which may be long. */
function storedDetail(detail: string | undefined): string | null {
  return detail === undefined ? null : storableText(detail.slice(0, DETAIL_LENGTH_MAX));
}

const DETAIL_LENGTH_MAX = 1_000;

function typeAndSubject({ type, subject }: ParkedEvent) {
  return { type, subject };
}

const NO_EVENT = {
  subject: '',
  verdict: null,
  rule: null,
  detail: null,
  digest: null,
  payload: null,
  eventId: null,
  source: null,
} as const;

/** Namespace of the ids of forwarded events. */
const FORWARDED = '6f1c8a52-0a86-4d4e-9b0c-3c1d8a5a0f5e';
