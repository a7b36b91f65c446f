import { statement, type Transactions } from '@pawl/core';
import { recordedError } from '../dead-letter.js';
import type { Envelope } from '../envelope.js';
import type { InboxPartition } from './inbox-stream.js';

/**
 * The tries of messages that failed or may have, each in a transaction of its own: that of the handler rolls back, and a process that
 * dies in it must leave a trace.
 */
export class AttemptLedger {
  constructor(private readonly transactions: Transactions) {}

  /** Counts a try before it runs. */
  async begin(partition: InboxPartition, envelopes: readonly Envelope[]): Promise<void> {
    if (envelopes.length > 0) await this.add(partition, envelopes, 1, []);
  }

  /** Takes tries back that turned out to be none: the database was busy or away, or the consumer left the message open. */
  async undo(partition: InboxPartition, envelopes: readonly Envelope[]): Promise<void> {
    if (envelopes.length > 0) await this.add(partition, envelopes, -1, []);
  }

  /** Records a try that threw, counts it unless `begin` has, and answers how many there have been. */
  async fail(
    partition: InboxPartition,
    envelope: Envelope,
    error: unknown,
    { counted }: { counted: boolean },
  ): Promise<number> {
    return this.add(partition, [envelope], counted ? 0 : 1, [recordedError(error)]);
  }

  private async add(
    { stream, partition, incarnation }: InboxPartition,
    envelopes: readonly Envelope[],
    attempts: number,
    errors: readonly unknown[],
  ): Promise<number> {
    // In one order for everybody, so that two batches do not deadlock.
    const sorted = envelopes.toSorted((a, b) => a.sequence - b.sequence);
    const [numbers, ids] = [sorted.map(({ sequence }) => sequence), sorted.map(({ id }) => id)];
    const values = [stream, partition, incarnation, numbers, ids, attempts, JSON.stringify(errors)];
    const rows = await this.transactions.run((tx) => tx.query<{ attempts: number }>(ADD, values));
    return Math.max(0, ...rows.map((row) => row.attempts));
  }
}

const ADD = statement(
  'inbox_attempt_add',
  `INSERT INTO pawl.inbox_attempt AS a (stream, partition, incarnation, sequence, message_id, attempts, errors)
   SELECT $1, $2, $3, sequence, id, greatest($6::integer, 0), $7::jsonb
   FROM unnest($4::bigint[], $5::uuid[]) AS message (sequence, id)
   ON CONFLICT (stream, partition, incarnation, sequence) DO UPDATE
   SET attempts = greatest(a.attempts + $6::integer, 0),
     errors = a.errors || excluded.errors,
     updated_at = clock_timestamp()
   RETURNING attempts`,
);
