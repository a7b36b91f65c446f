import { contentDigest } from '@pawl/core';
import { type MessageClass, messageTypeOf } from '@pawl/messaging';
import type { OutgoingMessage } from '@pawl/messaging';
import { advance, type Input } from '../../libs/workflow/src/machine/advance.js';
import { awaitedRun } from '../../libs/workflow/src/machine/awaited-run.js';
import { decide } from '../../libs/workflow/src/machine/decide.js';
import { type Facts, toLookUp } from '../../libs/workflow/src/machine/facts.js';
import { afterStep, dueSteps } from '../../libs/workflow/src/machine/steps/steps.js';
import type { Change, JournalEntry, Repeat, Undeliverable } from '../../libs/workflow/src/model/change.js';
import type { Definition } from '../../libs/workflow/src/model/definition.js';
import type { IncomingEvent, ParkedEvent } from '../../libs/workflow/src/model/event.js';
import type { Run } from '../../libs/workflow/src/model/run.js';
import { stepRecord } from '../../libs/workflow/src/model/step-record.js';
import type { Decision, Receipt } from '../../libs/workflow/src/model/verdict.js';

/** One run and its rows, kept as a store would keep them: every value goes through JSON, and facts are found by look-up only. */
export class MemoryRun {
  run: Run;
  readonly parked = new Map<string, ParkedEvent>();
  readonly journal: JournalEntry[] = [];
  readonly repeats: Repeat[] = [];
  readonly deadLetters: Undeliverable[] = [];
  readonly losses: Undeliverable[] = [];
  readonly messages: OutgoingMessage[] = [];
  readonly keys = new Map<string, string>();
  readonly stepsDone: string[] = [];

  constructor(readonly definition: Definition) {
    const id = '0195c0de-0000-7000-8000-000000000001';
    this.run = awaitedRun({ id, workflow: definition.workflow, key: 'A-1' });
  }

  get state(): string | null {
    return this.run.state;
  }

  get data(): Record<string, unknown> {
    return this.run.data as Record<string, unknown>;
  }

  /** The verdict as a text, `early guard-not-met`. */
  deliver(...events: IncomingEvent[]): string {
    return this.receive(...events)
      .map(({ verdict, rule }) => `${verdict} ${rule}`)
      .join(', ');
  }

  receive(...inputs: Input[]): readonly Receipt[] {
    return this.change(...inputs).receipts;
  }

  change(...inputs: Input[]): Change {
    return this.write(advance(this.definition, this.run, { inputs, ...this.facts(inputs) }));
  }

  decide(event: IncomingEvent): Decision {
    return decide(this.definition, this.run, event, this.facts([event]));
  }

  /** Runs the step that is due, if one is; answers its name. */
  step(): string | undefined {
    const records = this.stepsDone.map((name) => stepRecord({ name, status: 'done' }));
    const [step] = dueSteps(this.definition, this.run, records);
    if (!step) return undefined;
    const { run, journal } = afterStep(this.definition, this.run, step.name, records);
    this.stepsDone.push(step.name);
    this.journal.push(...journal);
    this.run = run;
    this.receive();
    return step.name;
  }

  private facts(inputs: readonly Input[]): Facts {
    const events = inputs.filter((input): input is IncomingEvent => 'payload' in input);
    const fetched = new Map(
      toLookUp(this.definition, this.run, events).map((pair) => [JSON.stringify(pair), pair]),
    );
    const known = (type: string, subject: string) =>
      fetched.has(JSON.stringify({ type, subject })) ? this.digestApplied(type, subject) : undefined;
    return { parked: [...this.parked.values()], known };
  }

  /** As a store does: keys from their table, items from the journal. */
  private digestApplied(type: string, subject: string): string | undefined {
    if (subject.startsWith('key:')) return this.keys.get(`${type} ${subject}`);
    const applied = this.journal.find(
      (one) => one.verdict === 'applied' && one.name === type && one.subject === subject,
    );
    return applied?.digest ?? undefined;
  }

  private write(change: Change): Change {
    this.run = JSON.parse(JSON.stringify(change.run)) as Run;
    for (const { type, subject } of change.unparked) this.parked.delete(`${type} ${subject}`);
    for (const event of change.parked) this.parked.set(`${event.type} ${event.subject}`, event);
    for (const { type, key, digest } of change.keys) this.keys.set(`${type} key:${key}`, digest);
    this.journal.push(...change.journal);
    this.repeats.push(...change.repeats);
    this.deadLetters.push(...change.deadLetters);
    this.losses.push(...change.losses);
    this.messages.push(...change.messages);
    return change;
  }
}

let deliveries = 0;

/** A delivery of an event, with an id of its own. */
export function delivery(payload: object, overrides: Partial<IncomingEvent> = {}): IncomingEvent {
  const { name, version } = messageTypeOf(payload.constructor as MessageClass);
  const plain: unknown = JSON.parse(JSON.stringify(payload));
  return {
    id: `delivery-${++deliveries}`,
    type: name,
    typeVersion: version,
    payload: plain,
    digest: contentDigest(plain),
    source: 'test',
    receivedAt: new Date('2026-01-01T12:00:00Z'),
    ...overrides,
  };
}
