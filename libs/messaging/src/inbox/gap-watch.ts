import { type Duty, statement, type Transactions } from '@pawl/core';
import type { InboxPartition } from './inbox-stream.js';

/** Numbers that are missing while later ones are closed. */
export interface Gap extends InboxPartition {
  /** The lowest of them. */
  readonly missing: number;
  readonly since: Date;
}

export interface GapWatchOptions {
  /** How long a gap is waited for before it is reported and fetched; and from there to the next fetch. Milliseconds. */
  readonly gapDeadlineMs: number;
  /** Told once of each gap that is older than that. */
  readonly onGap: (gap: Gap) => void;
  /** Told then and again while it stays: whoever has the numbers may be away at times. */
  readonly fetch: (gap: Gap) => void;
}

const EVERY_MS = 5_000;

/**
 * Looks for numbers that do not come although later ones have: their sender publishes them again and again, so a gap that stays says
 * that they are lost on the way each time, that they are handled in vain, or that their sender is gone. Nobody is waiting for them but
 * their own keys. What it sees stands in the partition's row; it keeps no clock of its own and takes no lock that somebody holds.
 */
export class GapWatch implements Duty {
  readonly name = 'gap watch';
  readonly everyMs: number;

  constructor(
    private readonly transactions: Transactions,
    private readonly options: GapWatchOptions,
  ) {
    this.everyMs = Math.min(EVERY_MS, options.gapDeadlineMs);
  }

  async pass(): Promise<number> {
    const rows = await this.transactions.run((tx) => tx.query<GapRow>(LOOK, [this.options.gapDeadlineMs]));
    for (const { stays, first, missing, ...row } of rows) {
      if (!stays) continue;
      const gap = { ...row, missing: Number(missing) };
      if (first) this.options.onGap(gap);
      this.options.fetch(gap);
    }
    return 0;
  }
}

interface GapRow extends InboxPartition {
  readonly missing: string;
  readonly since: Date;
  /** Whether it is older than its deadline, rather than seen to begin or to end. */
  readonly stays: boolean;
  /** Whether nobody was told of it before. */
  readonly first: boolean;
}

/**
 * A gap is another one once its lowest number has come. Of two processes that look at once only one sees it, and reports: what the other
 * one has changed since the snapshot is compared again once the row is locked.
 */
const LOOK = statement(
  'inbox_gaps',
  `WITH looked AS (
     SELECT stream, partition, incarnation, gap_at, gap_since, gap_fetched_at, CASE
       WHEN isempty(closed) OR closed = multirange(int8range(0, upper(closed))) THEN NULL
       WHEN lower(closed) > 0 THEN 0
       ELSE (SELECT upper(first) FROM unnest(closed) AS first LIMIT 1) END AS missing
     FROM pawl.inbox_stream WHERE superseded_at IS NULL),
   changed AS (
     SELECT s.stream, s.partition, s.incarnation, l.missing, l.missing IS NOT DISTINCT FROM l.gap_at AS stays,
       l.gap_fetched_at IS NULL AS first
     FROM pawl.inbox_stream s JOIN looked l USING (stream, partition, incarnation)
     WHERE s.gap_at IS NOT DISTINCT FROM l.gap_at AND s.gap_fetched_at IS NOT DISTINCT FROM l.gap_fetched_at
       AND (l.missing IS DISTINCT FROM l.gap_at
         OR coalesce(l.gap_fetched_at, l.gap_since) <= clock_timestamp() - $1 * interval '1 millisecond')
     FOR NO KEY UPDATE OF s SKIP LOCKED)
   UPDATE pawl.inbox_stream s SET gap_at = missing,
     gap_since = CASE WHEN stays THEN s.gap_since WHEN missing IS NOT NULL THEN clock_timestamp() END,
     gap_fetched_at = CASE WHEN stays THEN clock_timestamp() END
   FROM changed
   WHERE s.stream = changed.stream AND s.partition = changed.partition AND s.incarnation = changed.incarnation
   RETURNING s.stream, s.partition, s.incarnation, s.gap_at AS missing, s.gap_since AS since, stays, first`,
);
