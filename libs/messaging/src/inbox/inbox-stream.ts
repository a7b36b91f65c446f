import { RangeSet, statement, type Transaction } from '@pawl/core';
import type { RecordedError } from '../dead-letter.js';
import { openAtFirstSight } from './open-stream.js';

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
  /** Of these, what a settlement has closed. */
  readonly settled: RangeSet;
  readonly receiver: string;
  /** By number, of those asked for. */
  readonly attempts: ReadonlyMap<number, Attempts>;
  /** Whether a newer incarnation of the sender has opened a session. */
  readonly superseded: boolean;
  /** Whether messages may come that took effect under an older incarnation. */
  readonly compares: boolean;
}

/**
 * Locks a partition's row, making it at first sight. Which numbers are closed is read and written under this lock only, so of two
 * copies that arrive together one sees the other's mark. Answers nothing if the incarnation was forgotten since a newer one came.
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
    await openAtFirstSight(tx, { stream, partition, incarnation });
    row = await lock();
  }
  return row && streamOf(row);
}

/** The same without the lock: good for what never becomes untrue again, such as that a number is closed. */
export async function peekStream(
  tx: Transaction,
  { stream, partition, incarnation }: InboxPartition,
  sequences: readonly number[],
): Promise<LockedStream | undefined> {
  const [row] = await tx.query<StreamRow>(PEEK, [stream, partition, incarnation, sequences]);
  return row && streamOf(row);
}

function streamOf(row: StreamRow): LockedStream {
  return {
    closed: RangeSet.parse(row.closed),
    settled: RangeSet.parse(row.settled),
    receiver: row.receiver_incarnation,
    attempts: new Map((row.attempts ?? []).map(({ sequence, ...rest }) => [sequence, rest])),
    superseded: row.superseded,
    compares: row.compares,
  };
}

export interface Closing {
  readonly closing: readonly number[];
  /** Numbers whose attempts need no longer be known. */
  readonly forgotten: readonly number[];
  /** How many copies were dropped. */
  readonly duplicates: number;
  /** How many copies of an older session were refused. */
  readonly refused: number;
  /** Ids to keep for the restore window; none if none is declared. */
  readonly ids: readonly string[];
}

/** Marks numbers as closed in the locked row; answers all that is closed now. */
export async function closeNumbers(
  tx: Transaction,
  { stream, partition, incarnation }: InboxPartition,
  { closing, forgotten, duplicates, refused, ids }: Closing,
): Promise<RangeSet> {
  const values = [stream, partition, incarnation, closing, forgotten, duplicates, refused];
  const [row] =
    ids.length > 0
      ? await tx.query<{ closed: string }>(CLOSE_AND_KEEP, [...values, ids])
      : await tx.query<{ closed: string }>(CLOSE, values);
  return RangeSet.parse(row?.closed ?? '{}');
}

interface StreamRow {
  readonly closed: string;
  readonly settled: string;
  readonly receiver_incarnation: string;
  readonly superseded: boolean;
  readonly compares: boolean;
  readonly attempts: ({ sequence: number } & Attempts)[] | null;
}

const LOCK = statement(
  'inbox_lock',
  `SELECT s.closed::text AS closed, s.settled::text AS settled, s.receiver_incarnation, s.compares,
     s.superseded_at IS NOT NULL AS superseded, (
     SELECT jsonb_agg(jsonb_build_object('sequence', a.sequence, 'attempts', a.attempts, 'errors', a.errors))
     FROM pawl.inbox_attempt a
     WHERE a.stream = $1 AND a.partition = $2 AND a.incarnation = $3 AND a.sequence = ANY ($4::bigint[])) AS attempts
   FROM pawl.inbox_stream s
   WHERE s.stream = $1 AND s.partition = $2 AND s.incarnation = $3
   FOR NO KEY UPDATE OF s`,
);

const PEEK = statement('inbox_peek', LOCK.text.replace('FOR NO KEY UPDATE OF s', ''));

const CLOSE_NUMBERS = `forgotten AS (
     DELETE FROM pawl.inbox_attempt
     WHERE stream = $1 AND partition = $2 AND incarnation = $3 AND sequence = ANY ($5::bigint[]))
   UPDATE pawl.inbox_stream
   SET closed = closed + coalesce((SELECT range_agg(int8range(n, n + 1)) FROM unnest($4::bigint[]) n), '{}'),
     duplicates = duplicates + $6, refused = refused + $7
   WHERE stream = $1 AND partition = $2 AND incarnation = $3
   RETURNING closed::text AS closed`;

const CLOSE = statement('inbox_close', `WITH ${CLOSE_NUMBERS}`);

const CLOSE_AND_KEEP = statement(
  'inbox_close_and_keep',
  `WITH kept AS (INSERT INTO pawl.inbox_recent (stream, partition, incarnation, ids) VALUES ($1, $2, $3, $8::uuid[])),
   ${CLOSE_NUMBERS}`,
);
