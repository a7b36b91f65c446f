import { statement, type Transaction } from '@pawl/core';
import type { InboxPartition } from './inbox-stream.js';

/** Those of the ids whose messages took effect under another incarnation of their sender, as far as the restore window goes back. */
export async function recentIds(
  tx: Transaction,
  { stream, partition, incarnation }: InboxPartition,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ id: string }>(RECENT, [stream, partition, incarnation, ids]);
  return new Set(rows.map(({ id }) => id));
}

const RECENT = statement(
  'inbox_recent_ids',
  `SELECT DISTINCT id FROM pawl.inbox_recent r, unnest(r.ids) AS id
   WHERE r.stream = $1 AND r.partition = $2 AND r.incarnation <> $3 AND r.ids && $4::uuid[] AND id = ANY ($4::uuid[])`,
);
