import { RangeSet, statement, type Transaction } from '@pawl/core';
import { v7 } from 'uuid';
import type { RecordedError } from '../dead-letter.js';

/** One incoming stream partition of one incarnation of its sender. */
export interface InboxPartition {
  readonly stream: string;
  readonly partition: number;
  readonly incarnation: string;
}

/** For maps in memory. */
export function partitionName({ stream, partition, incarnation }: InboxPartition): string {
  return `${stream}/${partition}/${incarnation}`;
}

/** Failed or doubtful tries of one message. */
export interface Attempts {
  readonly attempts: number;
  readonly errors: readonly RecordedError[];
}

/** A partition's row, locked until the end of the transaction. */
export interface LockedStream {
  readonly closed: RangeSet;
  readonly receiver: string;
  /** By number, of those asked for. */
  readonly attempts: ReadonlyMap<number, Attempts>;
}

/** A sender that begins a new incarnation this often is broken, or is not a sender. A few more may slip in at the same moment. */
export const INCARNATIONS_MAX = 16;

/**
 * Locks a partition's row, making it at first sight. Which numbers are closed is read and written under this lock only, so of two
 * copies that arrive together one sees the other's mark. Answers nothing if the sender has had too many incarnations.
 */
export async function lockStream(
  tx: Transaction,
  { stream, partition, incarnation }: InboxPartition,
  sequences: readonly number[],
): Promise<LockedStream | undefined> {
  const lock = async (): Promise<StreamRow | undefined> =>
    (await tx.query<StreamRow>(LOCK, [stream, partition, incarnation, sequences]))[0];
  let row = await lock();
  if (row === undefined) {
    await tx.query(OPEN, [stream, partition, incarnation, v7(), INCARNATIONS_MAX]);
    row = await lock();
  }
  if (row === undefined) return undefined;
  return {
    closed: RangeSet.parse(row.closed),
    receiver: row.receiver_incarnation,
    attempts: new Map((row.attempts ?? []).map(({ sequence, ...rest }) => [sequence, rest])),
  };
}

export interface Closing {
  readonly closing: readonly number[];
  /** Numbers whose attempts need no longer be known. */
  readonly forgotten: readonly number[];
  /** How many copies were dropped. */
  readonly duplicates: number;
}

/** Marks numbers as closed in the locked row; answers all that is closed now. */
export async function closeNumbers(
  tx: Transaction,
  { stream, partition, incarnation }: InboxPartition,
  { closing, forgotten, duplicates }: Closing,
): Promise<RangeSet> {
  const values = [stream, partition, incarnation, closing, forgotten, duplicates];
  const [row] = await tx.query<{ closed: string }>(CLOSE, values);
  return RangeSet.parse(row?.closed ?? '{}');
}

interface StreamRow {
  readonly closed: string;
  readonly receiver_incarnation: string;
  readonly attempts: ({ sequence: number } & Attempts)[] | null;
}

const LOCK = statement(
  'inbox_lock',
  `SELECT s.closed::text AS closed, s.receiver_incarnation, (
     SELECT jsonb_agg(jsonb_build_object('sequence', a.sequence, 'attempts', a.attempts, 'errors', a.errors))
     FROM pawl.inbox_attempt a
     WHERE a.stream = $1 AND a.partition = $2 AND a.incarnation = $3 AND a.sequence = ANY ($4::bigint[])) AS attempts
   FROM pawl.inbox_stream s
   WHERE s.stream = $1 AND s.partition = $2 AND s.incarnation = $3
   FOR NO KEY UPDATE OF s`,
);

const OPEN = statement(
  'inbox_open',
  `INSERT INTO pawl.inbox_stream (stream, partition, incarnation, receiver_incarnation)
   SELECT $1, $2, $3, $4
   WHERE (SELECT count(*) FROM pawl.inbox_stream WHERE stream = $1 AND partition = $2) < $5
   ON CONFLICT DO NOTHING`,
);

const CLOSE = statement(
  'inbox_close',
  `WITH forgotten AS (
     DELETE FROM pawl.inbox_attempt
     WHERE stream = $1 AND partition = $2 AND incarnation = $3 AND sequence = ANY ($5::bigint[]))
   UPDATE pawl.inbox_stream
   SET closed = closed + coalesce((SELECT range_agg(int8range(n, n + 1)) FROM unnest($4::bigint[]) n), '{}'),
     duplicates = duplicates + $6
   WHERE stream = $1 AND partition = $2 AND incarnation = $3
   RETURNING closed::text AS closed`,
);
