import { type Duty, type Statement, statement, type Transactions } from '@pawl/core';

const ROWS_PER_PASS_MAX = 5_000;
const EVERY_MS = 5_000;

/**
 * Forgets what is kept for a database that is set back, once the declared window is over: acknowledged messages, ids of handled ones.
 * And incarnations that are over, once their sender has shown by a message that it has their last answer; and attempts that were left behind.
 */
export class RestoreWindow implements Duty {
  readonly name = 'restore window';
  readonly everyMs = EVERY_MS;

  constructor(
    private readonly transactions: Transactions,
    private readonly options: { readonly restoreWindowMs: number },
  ) {}

  async pass(): Promise<number> {
    const { restoreWindowMs } = this.options;
    const messages = await this.forget(FORGET_MESSAGES, [restoreWindowMs, ROWS_PER_PASS_MAX]);
    const ids = await this.forget(FORGET_IDS, [restoreWindowMs, ROWS_PER_PASS_MAX]);
    await this.forget(FORGET_INCARNATIONS, [restoreWindowMs]);
    const attempts = await this.forget(FORGET_ATTEMPTS, [ROWS_PER_PASS_MAX]);
    await this.forget(END_COMPARING, []);
    return Math.max(messages, ids, attempts) === ROWS_PER_PASS_MAX ? ROWS_PER_PASS_MAX : 0;
  }

  private async forget(sql: Statement, values: readonly unknown[]): Promise<number> {
    return this.transactions.run(async (tx) => (await tx.query(sql, [...values])).length);
  }
}

const FORGET_MESSAGES = statement(
  'restore_window_messages',
  `DELETE FROM pawl.outbox WHERE position IN (
     SELECT position FROM pawl.outbox WHERE acknowledged_at < now() - $1 * interval '1 millisecond' LIMIT $2)
   RETURNING 1`,
);

const FORGET_IDS = statement(
  'restore_window_ids',
  `DELETE FROM pawl.inbox_recent WHERE ctid = ANY (ARRAY(
     SELECT ctid FROM pawl.inbox_recent WHERE closed_at < now() - $1 * interval '1 millisecond' LIMIT $2))
   RETURNING 1`,
);

/** A sender gives numbers only after it has taken in what was closed of the incarnation before. */
const FORGET_INCARNATIONS = statement(
  'restore_window_incarnations',
  `DELETE FROM pawl.inbox_stream old
   WHERE old.superseded_at < now() - $1 * interval '1 millisecond'
     AND EXISTS (
       SELECT FROM pawl.inbox_stream newer
       WHERE newer.stream = old.stream AND newer.partition = old.partition
         AND newer.superseded_at IS NULL AND newer.closed <> '{}')
   RETURNING 1`,
);

/**
 * A number that closes takes its attempts with it. Left behind are those of incarnations that are over, and of whoever gave a try back when
 * another process had closed the number; a day later nobody is at it any more.
 */
const FORGET_ATTEMPTS = statement(
  'restore_window_attempts',
  `DELETE FROM pawl.inbox_attempt WHERE ctid = ANY (ARRAY(
     SELECT a.ctid FROM pawl.inbox_attempt a
     WHERE a.updated_at < now() - interval '1 day' AND NOT EXISTS (
       SELECT FROM pawl.inbox_stream s
       WHERE s.stream = a.stream AND s.partition = a.partition AND s.incarnation = a.incarnation
         AND s.superseded_at IS NULL AND NOT s.closed @> a.sequence)
     LIMIT $1))
   RETURNING 1`,
);

const END_COMPARING = statement(
  'restore_window_end_comparing',
  `UPDATE pawl.inbox_stream s SET compares = false
   WHERE s.compares AND NOT EXISTS (
     SELECT FROM pawl.inbox_recent r
     WHERE r.stream = s.stream AND r.partition = s.partition AND r.incarnation <> s.incarnation)`,
);
