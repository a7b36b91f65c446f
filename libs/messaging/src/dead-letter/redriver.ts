import { crashPoint, type Duty, type Json, PawlError, type Transaction, type Transactions } from '@pawl/core';
import { recordedError, withoutBurial } from '../dead-letter.js';
import { type Envelope, isProblem, parseEnvelope } from '../envelope.js';
import type { Consumers } from '../inbox/consumers.js';
import type { OutsideCalls } from '../inbox/outside-calls.js';
import { isTransient } from '../inbox/stream-batch.js';
import { appendLosses } from '../loss.js';
import {
  claimRequested,
  putBack,
  recordFailed,
  type Requested,
  resolve,
  SupersededError,
} from './redrivable.js';

/** An event that became a dead letter after its message was closed, or that came by no message. */
export interface DeadEvent {
  readonly id: string;
  readonly source: string;
  readonly workflow: string;
  readonly key: string;
  readonly type: string;
  readonly version: number;
  readonly payload: Json;
}

/** Whoever decides events; a workflow engine registers itself. */
export interface EventRedrive {
  /** Delivers the event again under its id. @throws if it did not take effect; then nothing of it commits */
  redrive(tx: Transaction, event: DeadEvent): Promise<void>;
}

export interface RedriverOptions {
  /** How long a try may take before somebody else begins it again. Milliseconds. */
  readonly leaseMs: number;
}

const EVERY_MS = 1_000;
const AGAIN_MS = 1_000;

/**
 * Carries out what was asked for dead letters: gives a stored message to its consumers again, under its id, in the transaction that resolves its
 * row (before it or after it, if its route promises less than exactly once); or closes the row and writes the effect that is missing into the
 * loss ledger. A try that throws leaves its error in the row, and the row open; one that ends its process is begun again after its lease,
 * a few times.
 */
export class Redriver implements Duty {
  readonly name = 'dead letter redriver';
  readonly everyMs = EVERY_MS;
  private events: EventRedrive | undefined;

  constructor(
    private readonly transactions: Transactions,
    private readonly consumers: Consumers,
    private readonly calls: OutsideCalls,
    private readonly options: RedriverOptions,
  ) {}

  /** Who redrives events. Register it before the duty starts. */
  useEvents(events: EventRedrive): void {
    this.events = events;
  }

  async pass(): Promise<number> {
    const letter = await this.transactions.run((tx) => claimRequested(tx, this.options.leaseMs));
    if (letter === undefined) return 0;
    crashPoint('redriver.after-claim');
    try {
      if (letter.tries_left < 0) throw new RedriveUnfinishedError();
      if (letter.requested === 'waive') await this.waive(letter);
      else if (letter.origin === 'event') await this.redriveEvent(letter);
      else await this.redriveMessage(letter, envelopeOf(letter));
    } catch (error) {
      await this.transactions.run((tx) => this.fail(tx, letter, error));
    }
    return 1;
  }

  private async waive(letter: Requested): Promise<void> {
    await this.transactions.run(async (tx) => {
      await appendLosses(tx, [lossOf(letter)]);
      await resolve(tx, letter, 'waived');
    });
  }

  private async redriveMessage(letter: Requested, envelope: Envelope): Promise<void> {
    if (this.consumers.of(envelope.type, envelope.dataversion).length === 0)
      throw refused('unknown_type', `nobody handles ${envelope.type} in version ${envelope.dataversion}`);
    await this.calls.around(envelope, async (mark) => {
      await this.resolveWith(letter, async (tx) => {
        await this.handle(tx, envelope);
        await mark(tx);
      });
      return true;
    });
  }

  private async redriveEvent(letter: Requested): Promise<void> {
    const { message_id: id, source, workflow, run_key: key, type, version, payload } = letter;
    const { events } = this;
    if (events === undefined) throw refused('no_workflows', 'no workflow engine runs here');
    if (source === null || workflow === null || key === null)
      throw refused('event_incomplete', 'its source, workflow or key is not known');
    const event = { id, source, workflow, key, type, version, payload };
    await this.resolveWith(letter, (tx) => events.redrive(tx, event));
  }

  private async resolveWith(letter: Requested, work: (tx: Transaction) => Promise<void>): Promise<void> {
    await this.transactions.run(async (tx) => {
      await withoutBurial(tx, letter.message_id, () => work(tx));
      await resolve(tx, letter, 'redriven');
      crashPoint('redriver.before-commit');
    });
    crashPoint('redriver.after-commit');
  }

  private async handle(tx: Transaction, envelope: Envelope): Promise<void> {
    const outside = this.consumers.outside(envelope);
    for (const consumer of this.consumers.of(envelope.type, envelope.dataversion)) {
      if (outside.includes(consumer)) continue;
      const open = await consumer.handle([envelope], tx);
      if (open.length > 0) throw refused('left_open', `${consumer.name} can not take it now`);
    }
  }

  private async fail(tx: Transaction, letter: Requested, error: unknown): Promise<void> {
    if (error instanceof SupersededError) return;
    if (isTransient(error)) await putBack(tx, letter, AGAIN_MS);
    else await recordFailed(tx, letter, recordedError(error));
  }
}

function envelopeOf({ envelope, payload }: Requested): Envelope {
  const parsed = parseEnvelope({ ...envelope, data: payload });
  if (isProblem(parsed))
    throw refused('envelope_invalid', `what is stored of it ${parsed.problems.join('; ')}`);
  return parsed;
}

/** Under the id of the dead letter, so that the one leads to the other. */
function lossOf({ id, origin, workflow, run_key, type, payload, actor, actor_reason, ...letter }: Requested) {
  return {
    id,
    origin,
    ...(workflow === null ? {} : { workflow }),
    ...(run_key === null ? {} : { runKey: run_key }),
    type,
    payload,
    reason: 'waived',
    detail: `${actor}: ${actor_reason}`,
    messageId: letter.message_id,
  };
}

function refused(code: string, why: string): PawlError {
  return new PawlError(code, `It can not be redriven: ${why}.`);
}

/** Each try of a redrive has ended its process, or taken longer than its lease. */
export class RedriveUnfinishedError extends PawlError {
  constructor() {
    super(
      'redrive_unfinished',
      'No try of this redrive came to its end: each ended its process, or took longer than its lease.',
    );
  }
}
