import { crashPoint, type Duty, statement, type Transactions } from '@pawl/core';
import { OUTBOX_COLUMNS, type OutboxRow } from './outbox-row.js';
import type { Publisher } from './publisher.js';
import { SESSION_OPEN } from './sender-row.js';

export interface RetransmitterOptions {
  /** From the first publish to the second; doubles each time. Milliseconds. */
  readonly firstIntervalMs: number;
  /** Where the doubling ends. Milliseconds. */
  readonly longestIntervalMs: number;
}

const ROWS_PER_PASS_MAX = 500;
const EVERY_MS = 500;

/**
 * Publishes again what is numbered and not acknowledged in time, and only that, at growing intervals. It is what makes the transport's
 * losses harmless: a crash between numbering and publishing, a flushed Redis, a receiver that was away or left a number open.
 *
 * Copies must not pile up: while acknowledgements come, only what they have overtaken counts as lost; and nothing is repeated for a
 * destination whose queue is long. The next time is committed before the publish, so two of them do not send the same row. While the
 * transport takes nothing, a pass tries one row.
 */
export class Retransmitter implements Duty {
  readonly name = 'outbox retransmitter';
  readonly everyMs: number;
  private rowsMax = ROWS_PER_PASS_MAX;

  constructor(
    private readonly transactions: Transactions,
    private readonly publisher: Publisher,
    private readonly options: RetransmitterOptions,
  ) {
    this.everyMs = Math.min(EVERY_MS, options.firstIntervalMs);
  }

  async pass(): Promise<number> {
    const { firstIntervalMs, longestIntervalMs } = this.options;
    const waiting = await this.transactions.run((tx) => tx.query<{ destination: string }>(WAITING));
    const free = await this.publisher.uncongested(waiting.map(({ destination }) => destination));
    if (free.length === 0) return 0;
    const rows = await this.transactions.run((tx) =>
      tx.query<OutboxRow>(TAKE_DUE, [free, this.rowsMax, firstIntervalMs, longestIntervalMs]),
    );
    if (rows.length === 0) return 0;
    crashPoint('retransmitter.after-taking');
    this.rowsMax = 1;
    await this.publisher.publish(rows);
    this.rowsMax = ROWS_PER_PASS_MAX;
    crashPoint('retransmitter.after-publish');
    return rows.length;
  }
}

const WAITING = statement(
  'outbox_waiting',
  `SELECT DISTINCT destination FROM pawl.outbox_stream WHERE unacknowledged > 0`,
);

const TAKE_DUE = statement(
  'outbox_take_due',
  `WITH due AS (
     SELECT o.position FROM pawl.outbox o JOIN pawl.outbox_stream s USING (destination, partition)
     WHERE o.sequence IS NOT NULL AND o.acknowledged_at IS NULL AND NOT o.pulled AND o.next_publish_at <= now() AND o.destination = ANY ($1::text[])
       AND ${SESSION_OPEN}
       AND (o.sequence < s.acknowledged_end OR s.progressed_at <= now() - $3 * interval '1 millisecond')
     ORDER BY o.next_publish_at LIMIT $2 FOR UPDATE OF o SKIP LOCKED)
   UPDATE pawl.outbox o
   SET transmissions = o.transmissions + 1,
     next_publish_at = now() + least($4::double precision, $3 * power(2, least(o.transmissions, 30))) * interval '1 millisecond'
   FROM due, pawl.outbox_stream s
   WHERE o.position = due.position AND s.destination = o.destination AND s.partition = o.partition
   RETURNING ${OUTBOX_COLUMNS}`,
);
