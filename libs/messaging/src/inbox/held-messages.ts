import {
  crashPoint,
  type Duty,
  type Statement,
  statement,
  type Transaction,
  type Transactions,
} from '@pawl/core';
import { appendDeadLetters, deadMessage, recordedError } from '../dead-letter.js';
import type { RecordedError } from '../dead-letter.js';
import type { Envelope } from '../envelope.js';
import type { Consumers } from './consumers.js';
import { LeaveOpenError } from './leave-open-error.js';
import type { MessageConsumer } from './message-consumer.js';
import type { OutsideCalls } from './outside-calls.js';
import { isTransient } from './stream-batch.js';

export interface HeldMessagesOptions {
  /** Tries of one message before it becomes a dead letter, and holds its key in turn. */
  readonly attemptsMax: number;
  /** From the first try to the second; doubles each time. Milliseconds. */
  readonly firstIntervalMs: number;
  /** Where the doubling ends. Milliseconds. */
  readonly longestIntervalMs: number;
  /** How long a try of a message may take whose route promises less than exactly once, before somebody else begins it again. Milliseconds. */
  readonly callLeaseMs: number;
  /** How long a message waits for a process that has its type and version; then it becomes a dead letter. Milliseconds. */
  readonly parkedMs: number;
  readonly onError: (error: unknown) => void;
}

const EVERY_MS = 1_000;
/** For a process to begin what it has claimed, before another one takes it for dead. */
const LEASE_MS = 2_000;
/** Keys at a time: a handler that hangs keeps only its own place. */
const KEYS_AT_ONCE = 2;

/**
 * Handles what was stored behind a dead letter once that is redriven or waived: of each key one message after the other, in their order,
 * while keys wait for none of the others. What comes meanwhile is stored behind them. Each try is counted before it runs; at the limit
 * the message becomes a dead letter that holds what is left.
 *
 * What came in a type or version that no process had waits here too, and is taken by the first one that has it: a rolling deploy loses
 * nothing. It passes what waits for another version before it, unless their key keeps its order.
 */
export class HeldMessages implements Duty {
  readonly name = 'release of held messages';
  readonly everyMs: number;

  constructor(
    private readonly transactions: Transactions,
    private readonly consumers: Consumers,
    private readonly calls: OutsideCalls,
    private readonly options: HeldMessagesOptions,
  ) {
    this.everyMs = Math.min(EVERY_MS, options.firstIntervalMs);
  }

  async pass(): Promise<number> {
    const { firstIntervalMs, longestIntervalMs, parkedMs, callLeaseMs } = this.options;
    const { types, versions } = this.consumers.known;
    const values = [KEYS_AT_ONCE, firstIntervalMs, longestIntervalMs, types, versions, parkedMs, callLeaseMs];
    const heads = await this.transactions.run((tx) => tx.query<Held>(CLAIM, values));
    if (heads.length === 0) return 0;
    crashPoint('held-messages.after-claim');
    await Promise.all(heads.map((held) => this.attempt(held)));
    return heads.length;
  }

  private async attempt(held: Held): Promise<void> {
    try {
      // More than all of them: the last one ended its process.
      if (held.attempts > this.options.attemptsMax) await this.bury(held, 'attempts_exhausted');
      else if (this.consumersOf(held).length === 0) await this.bury(held, 'unknown_type');
      else
        await this.calls.around(held.envelope, (mark) =>
          this.transactions.run((tx) => this.handle(tx, held, mark)),
        );
    } catch (error) {
      this.options.onError(error);
      if (isTransient(error)) await this.transactions.run((tx) => this.release(tx, PUT_BACK, held));
      else await this.fail(held, recordedError(error));
    }
  }

  private consumersOf({ envelope: { type, dataversion } }: Held): readonly MessageConsumer[] {
    return this.consumers.of(type, dataversion);
  }

  /** Answers whether it was still there. */
  private async handle(
    tx: Transaction,
    held: Held,
    mark: (tx: Transaction) => Promise<void>,
  ): Promise<boolean> {
    if (!(await take(tx, held))) return false;
    const outside = this.consumers.outside(held.envelope);
    for (const consumer of this.consumersOf(held)) {
      if (outside.includes(consumer)) continue;
      const open = await consumer.handle([held.envelope], tx);
      if (open.length > 0) throw new LeaveOpenError(`${consumer.name} can not take it now.`);
    }
    await mark(tx);
    return true;
  }

  private async fail(held: Held, error: RecordedError): Promise<void> {
    await this.transactions.run((tx) => this.release(tx, FAIL, held, JSON.stringify([error])));
    const errors = [...held.errors, error];
    if (held.attempts >= this.options.attemptsMax) await this.bury({ ...held, errors }, 'attempts_exhausted');
  }

  private async release(tx: Transaction, how: Statement, held: Held, ...values: unknown[]): Promise<void> {
    const { firstIntervalMs, longestIntervalMs } = this.options;
    await tx.query(how, [held.position, firstIntervalMs, longestIntervalMs, held.attempts, ...values]);
  }

  /** From now on this one holds its key. */
  private async bury(held: Held, reason: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      if (await take(tx, held))
        await appendDeadLetters(tx, [deadMessage(held.envelope, { reason, errors: held.errors })]);
    });
  }
}

interface Held {
  readonly position: string;
  readonly envelope: Envelope;
  readonly attempts: number;
  readonly errors: readonly RecordedError[];
}

/** Takes it out, first thing: whoever else is at it waits, and finds nothing. Answers whether it was still there, untouched since. */
async function take(tx: Transaction, { position, attempts }: Held): Promise<boolean> {
  return (await tx.query(TAKE, [position, attempts])).length > 0;
}

/** When the next try comes after so many; the values are the second and third of each statement. */
function due(attempts: string): string {
  return `clock_timestamp() + least($3::double precision, $2 * power(2, least(${attempts}, 30))) * interval '1 millisecond'`;
}

/** Whether this process has the type and version of a held message; the values are those of the claim. */
function isKnown(held: string): string {
  return `(${held}.type = ANY ($4::text[]) OR ${held}.type_version = ANY ($5::text[]))`;
}

/**
 * The oldest message of each key that nothing holds any more. One snapshot tells of the messages before it and of the dead letters: what
 * stops being the one has become the other. A handler that is called in no transaction holds no lock while it runs: the claim has to last
 * longer than that. Thousands may wait that no process here knows: the indexes leave them out, and can be asked for what a statement
 * takes as fixed, so not for `clock_timestamp()`.
 */
const CLAIM = statement(
  'held_claim',
  `UPDATE pawl.held_message SET attempts = attempts + 1, due_at = greatest(${due('attempts')}, clock_timestamp()
     + CASE WHEN envelope ->> 'guarantee' IS NULL THEN ${LEASE_MS} ELSE $7::double precision END * interval '1 millisecond')
   WHERE position = ANY (ARRAY(
     SELECT h.position FROM pawl.held_message h
     WHERE h.due_at <= statement_timestamp()
       AND (${isKnown('h')} OR h.held_at <= statement_timestamp() - $6::double precision * interval '1 millisecond')
       AND NOT EXISTS (
         SELECT FROM pawl.held_message e WHERE e.stream = h.stream AND e.key = h.key AND e.position < h.position
           AND (${isKnown('e')} OR e.ordered))
       AND NOT EXISTS (
         SELECT FROM pawl.dead_letter d WHERE d.stream = h.stream AND d.held_key = h.key AND d.resolved_at IS NULL)
     ORDER BY h.position LIMIT $1 FOR UPDATE OF h SKIP LOCKED))
   RETURNING position, envelope, attempts, errors`,
);

const TAKE = statement(
  'held_take',
  `DELETE FROM pawl.held_message WHERE position = $1 AND attempts = $2 RETURNING position`,
);

const FAIL = statement(
  'held_fail',
  `UPDATE pawl.held_message SET errors = errors || $5::jsonb, due_at = ${due('attempts - 1')}
   WHERE position = $1 AND attempts = $4`,
);

const PUT_BACK = statement(
  'held_put_back',
  `UPDATE pawl.held_message SET attempts = attempts - 1, due_at = ${due('attempts - 1')}
   WHERE position = $1 AND attempts = $4`,
);
