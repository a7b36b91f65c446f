import { statement, type Transactions } from '@pawl/core';
import { groupBy } from '../group-by.js';
import type { Transport } from '../transport/transport.js';
import { deliveryOf, type OutboxRow } from './outbox-row.js';

/** Deliveries that wait at a destination, beyond which none is repeated. */
const BACKLOG_MAX = 10_000;

/**
 * Hands numbered rows to the transport, outside any transaction. What the transport did not take is put back to the start of its
 * retransmission intervals, so that an outage of the bus does not slow down its recovery.
 */
export class Publisher {
  constructor(
    private readonly transactions: Transactions,
    private readonly transport: Transport,
    private readonly options: {
      readonly service: string;
      readonly firstIntervalMs: number;
      /** Told of rows that have a number now: a hint for who waits for them. */
      readonly announce?: (rows: readonly OutboxRow[]) => void;
    },
  ) {}

  /**
   * Publishes rows that nobody pulls, each destination by itself; throws the first failure after all have been tried. Readers of the feed
   * are told of all of them.
   */
  async publish(rows: readonly OutboxRow[]): Promise<void> {
    this.options.announce?.(rows);
    const pushed = rows.filter(({ pulled, waived }) => !pulled || waived);
    const destinations = [...groupBy(pushed, ({ destination }) => destination)];
    const outcomes = await Promise.allSettled(destinations.map(([to, group]) => this.publishTo(to, group)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** Those destinations whose queue is short enough, by default for copies. One that can not be asked counts as free: publishing will tell. */
  async uncongested(destinations: readonly string[], backlogMax = BACKLOG_MAX): Promise<string[]> {
    const backlogs = await Promise.all(
      destinations.map((destination) => this.transport.backlog(destination).catch(() => 0)),
    );
    return destinations.filter((_, n) => (backlogs[n] ?? 0) < backlogMax);
  }

  private async publishTo(destination: string, rows: OutboxRow[]): Promise<void> {
    rows.sort((a, b) => a.partition - b.partition || Number(a.sequence) - Number(b.sequence));
    const deliveries = rows.map((row) => deliveryOf(row, this.options.service));
    try {
      await this.transport.publish(destination, deliveries);
    } catch (error) {
      const positions = rows.map(({ position }) => position);
      await this.transactions.run((tx) => tx.query(NOT_TAKEN, [positions, this.options.firstIntervalMs]));
      throw error;
    }
  }
}

/** What was acknowledged meanwhile is gone or kept for a restore: it is not due again. */
const NOT_TAKEN = statement(
  'outbox_not_taken',
  `UPDATE pawl.outbox SET transmissions = greatest(transmissions - 1, 0),
     next_publish_at = now() + $2 * interval '1 millisecond'
   WHERE position = ANY ($1::bigint[]) AND acknowledged_at IS NULL AND sequence IS NOT NULL`,
);
