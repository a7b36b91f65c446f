import { type Duty, statement, type Transactions } from '@pawl/core';
import type { InboxPartition } from './inbox-stream.js';

/** Numbers that are missing while later ones are closed. */
export interface Gap extends InboxPartition {
  /** The lowest of them. */
  readonly missing: number;
  readonly since: Date;
}

export interface GapWatchOptions {
  /** How long a gap is waited for before it is reported. Milliseconds. */
  readonly gapDeadlineMs: number;
  /** Told once of each gap that is older than that. */
  readonly onGap: (gap: Gap) => void;
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
    for (const { stream, partition, incarnation, missing, since, reported } of rows) {
      if (reported) this.options.onGap({ stream, partition, incarnation, missing: Number(missing), since });
    }
    return 0;
  }
}

interface GapRow extends InboxPartition {
  readonly missing: string;
  readonly since: Date;
  /** Whether that was done just now. */
  readonly reported: boolean;
}

/** A gap is another one once its lowest number has come. Of two processes that look at once only one sees it, and reports. */
const LOOK = statement(
  'inbox_gaps',
  `WITH looked AS (
     SELECT stream, partition, incarnation, gap_at, gap_since, gap_reported_at, CASE
       WHEN isempty(closed) OR closed = multirange(int8range(0, upper(closed))) THEN NULL
       WHEN lower(closed) > 0 THEN 0
       ELSE (SELECT upper(first) FROM unnest(closed) AS first LIMIT 1) END AS missing
     FROM pawl.inbox_stream WHERE superseded_at IS NULL),
   changed AS (
     SELECT s.stream, s.partition, s.incarnation, l.missing, l.missing IS NOT DISTINCT FROM l.gap_at AS late
     FROM pawl.inbox_stream s JOIN looked l USING (stream, partition, incarnation)
     WHERE l.missing IS DISTINCT FROM l.gap_at
       OR (l.gap_reported_at IS NULL AND l.gap_since <= clock_timestamp() - $1 * interval '1 millisecond')
     FOR NO KEY UPDATE OF s SKIP LOCKED)
   UPDATE pawl.inbox_stream s SET gap_at = missing,
     gap_since = CASE WHEN late THEN s.gap_since WHEN missing IS NOT NULL THEN clock_timestamp() END,
     gap_reported_at = CASE WHEN late THEN clock_timestamp() END
   FROM changed
   WHERE s.stream = changed.stream AND s.partition = changed.partition AND s.incarnation = changed.incarnation
   RETURNING s.stream, s.partition, s.incarnation, s.gap_at AS missing, s.gap_since AS since, late AS reported`,
);
