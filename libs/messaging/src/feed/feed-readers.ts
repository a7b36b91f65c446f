import { RangeSet, statement, type Transactions } from '@pawl/core';
import { v7 } from 'uuid';

/** Where this service stands in a partition of another one's stream. */
export interface ReadingPlace {
  /** The sender's; none if nothing of it is closed. */
  readonly incarnation: string | undefined;
  readonly receiver: string | undefined;
  readonly closed: RangeSet;
}

/**
 * Sees to it that one process at a time pulls a partition. Nothing depends on it but that messages are not fetched in vain: the inbox
 * drops what two have fetched.
 */
export class FeedReaders {
  private readonly reader = v7();

  constructor(private readonly transactions: Transactions) {}

  /**
   * Takes or keeps a partition for so long, and answers what is closed there; nothing if another process has it.
   * @param incarnation the sender's; by default the newest that is known here
   */
  async take(
    { stream, partition }: { stream: string; partition: number },
    { leaseMs, incarnation }: { leaseMs: number; incarnation: string | undefined },
  ): Promise<ReadingPlace | undefined> {
    const values = [stream, partition, this.reader, leaseMs, incarnation ?? null];
    const [row] = await this.transactions.run((tx) => tx.query<PlaceRow>(TAKE, values));
    if (row === undefined) return undefined;
    return {
      incarnation: row.incarnation ?? undefined,
      receiver: row.receiver_incarnation ?? undefined,
      closed: RangeSet.parse(row.closed ?? '{}'),
    };
  }

  /** Leaves all partitions to others. */
  async leave(): Promise<void> {
    await this.transactions.run((tx) => tx.query(LEAVE, [this.reader]));
  }
}

interface PlaceRow {
  readonly incarnation: string | null;
  readonly receiver_incarnation: string | null;
  readonly closed: string | null;
}

const TAKE = statement(
  'feed_take',
  `WITH taken AS (
     INSERT INTO pawl.feed_reader AS f (stream, partition, reader, reads_until)
     VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond')
     ON CONFLICT (stream, partition) DO UPDATE SET reader = excluded.reader, reads_until = excluded.reads_until
     WHERE f.reader = excluded.reader OR f.reads_until <= clock_timestamp()
     RETURNING 1)
   SELECT s.incarnation, s.receiver_incarnation, s.closed::text AS closed
   FROM taken LEFT JOIN LATERAL (
     SELECT incarnation, receiver_incarnation, closed FROM pawl.inbox_stream
     WHERE stream = $1 AND partition = $2 AND incarnation = coalesce($5, incarnation)
     ORDER BY incarnation DESC LIMIT 1) s ON true`,
);

const LEAVE = statement(
  'feed_leave',
  `UPDATE pawl.feed_reader SET reads_until = clock_timestamp() WHERE reader = $1`,
);
