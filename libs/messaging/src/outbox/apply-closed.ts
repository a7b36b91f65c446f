import { statement, type Transaction } from '@pawl/core';

/** What a receiver's account of its closed numbers changes in a partition whose row is locked. */
export interface ClosedChange {
  readonly destination: string;
  readonly partition: number;
  /** As `int8multirange`. */
  readonly closed: string;
  readonly acknowledged: number;
  readonly closedEnd: number;
  /** Acknowledgements that did nothing. */
  readonly ignored: number;
  /** Whether the receiver has to be asked. */
  readonly ask: boolean;
}

/** Ends what is covered: deletes it, or keeps it for the restore window. A waived message waits for the answer to its settlement. */
export async function applyClosed(
  tx: Transaction,
  changes: readonly ClosedChange[],
  { restoreWindowMs }: { readonly restoreWindowMs: number },
): Promise<void> {
  await tx.query(restoreWindowMs > 0 ? KEEP : DELETE, [JSON.stringify(changes)]);
}

/** Looks for rows from the former watermark on only: below it all are gone, and their index entries need not be passed again. */
function ending(name: string, end: string): ReturnType<typeof statement> {
  return statement(
    name,
    `WITH change AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS change (
         destination text, partition integer, closed int8multirange, acknowledged bigint, "closedEnd" bigint,
         ignored integer, ask boolean)),
     ended AS (
       ${end} change, pawl.outbox_stream s, LATERAL unnest(change.closed) AS range
       WHERE s.destination = change.destination AND s.partition = change.partition
         AND o.destination = change.destination AND o.partition = change.partition
         AND o.sequence >= greatest(lower(range), s.acknowledged) AND o.sequence < upper(range)
         AND o.waived_at IS NULL AND o.acknowledged_at IS NULL
       RETURNING o.destination, o.partition),
     counted AS (
       SELECT destination, partition, count(*)::integer AS ended FROM ended GROUP BY destination, partition)
     UPDATE pawl.outbox_stream s
     SET acknowledged = change.acknowledged,
       acknowledged_end = greatest(s.acknowledged_end, change."closedEnd"),
       progressed_at = CASE WHEN counted.ended > 0 THEN now() ELSE s.progressed_at END,
       ignored_acknowledgements = s.ignored_acknowledgements + change.ignored,
       next_ask_at = CASE WHEN change.ask THEN now() ELSE s.next_ask_at END,
       unacknowledged = greatest(s.unacknowledged - coalesce(counted.ended, 0), 0)
     FROM change LEFT JOIN counted USING (destination, partition)
     WHERE s.destination = change.destination AND s.partition = change.partition`,
  );
}

const DELETE = ending('acknowledgement_delete', 'DELETE FROM pawl.outbox o USING');
const KEEP = ending(
  'acknowledgement_keep',
  'UPDATE pawl.outbox o SET acknowledged_at = now(), next_publish_at = NULL FROM',
);
