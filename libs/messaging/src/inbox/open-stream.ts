import { RangeSet, statement, type Transaction } from '@pawl/core';
import { v7 } from 'uuid';
import { appendLosses, type Loss } from '../loss.js';
import type { ReceiverStream } from '../protocol/session.js';
import type { StreamAddress } from '../protocol/stream-address.js';

/** Incarnations of one sender that are remembered per partition; all but the newest are over. */
const INCARNATIONS_MAX = 16;

/**
 * Locks every incarnation of a partition's sender, and keeps others from making one until the transaction ends: so that none is
 * missed which another transaction is about to make.
 */
export async function lockIncarnations(
  tx: Transaction,
  { stream, partition }: Pick<StreamAddress, 'stream' | 'partition'>,
): Promise<ReceiverStream[]> {
  await tx.query(ALONE, [`${stream}/${partition}`]);
  const rows = await tx.query<IncarnationRow>(LOCK_ALL, [stream, partition]);
  return rows.map(({ incarnation, receiver_incarnation, closed, settled }) => ({
    incarnation,
    receiver: receiver_incarnation,
    closed: RangeSet.parse(closed),
    settled: RangeSet.parse(settled),
  }));
}

export interface Opening {
  /** Messages may come under it that took effect under an older one. */
  readonly compares: boolean;
  /** The incarnation whose numbers the sender's messages still carry: the last that would be forgotten. */
  readonly previous?: string | undefined;
  /** It was open before, in a state of this side that is lost. */
  readonly setBack: boolean;
}

/**
 * Makes the newest incarnation's row, and ends the older ones: a batch that waits for one of their rows finds it superseded. If this side
 * was set back to before it was opened, nobody can tell any more what was acknowledged under the older ones since the backup: that is
 * one row of the loss ledger.
 */
export async function openIncarnation(
  tx: Transaction,
  { stream, partition }: Pick<StreamAddress, 'stream' | 'partition'>,
  { incarnation, receiver, closed }: ReceiverStream,
  { compares, previous, setBack }: Opening,
): Promise<void> {
  const values = [stream, partition, incarnation, receiver, closed.toString(), compares];
  await tx.query(OPEN, [...values, INCARNATIONS_MAX, previous ?? null]);
  if (setBack) await appendLosses(tx, [unknownPast(stream, partition, incarnation)]);
}

function unknownPast(stream: string, partition: number, incarnation: string): Loss {
  return {
    origin: 'message',
    type: 'unknown',
    subject: `${stream}/${partition}`,
    payload: { before: incarnation },
    reason: 'receiver_set_back',
    detail:
      'This database was set back to before this incarnation of the sender: what was acknowledged under earlier ones since the backup is unknown.',
  };
}

/**
 * Makes the row of an incarnation whose messages come without a session having been opened here: that was in a state of this side that
 * is lost. The sender finds a receiver that it does not know in the acknowledgement, and asks.
 */
export async function openAtFirstSight(
  tx: Transaction,
  { stream, partition, incarnation }: StreamAddress,
): Promise<void> {
  const known = await lockIncarnations(tx, { stream, partition });
  if (known.some((each) => each.incarnation >= incarnation)) return;
  const none = { closed: RangeSet.empty, settled: RangeSet.empty };
  const row = { incarnation, receiver: v7(), ...none };
  const older = known.length > 0;
  await openIncarnation(tx, { stream, partition }, row, { compares: older, setBack: older });
}

interface IncarnationRow {
  readonly incarnation: string;
  readonly receiver_incarnation: string;
  readonly closed: string;
  readonly settled: string;
}

const ALONE = statement('inbox_open_alone', 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))');

const LOCK_ALL = statement(
  'inbox_lock_all',
  `SELECT incarnation, receiver_incarnation, closed::text AS closed, settled::text AS settled
   FROM pawl.inbox_stream WHERE stream = $1 AND partition = $2 ORDER BY incarnation FOR NO KEY UPDATE`,
);

/** What has nothing closed is forgotten first: nothing is lost with it. Last what the sender asks about: it carries those numbers still. */
const OPEN = statement(
  'inbox_open',
  `WITH forgotten AS (
     DELETE FROM pawl.inbox_stream WHERE stream = $1 AND partition = $2 AND incarnation IN (
       SELECT incarnation FROM pawl.inbox_stream WHERE stream = $1 AND partition = $2
       ORDER BY incarnation IS NOT DISTINCT FROM $8::uuid DESC, closed <> '{}' DESC, incarnation DESC
       OFFSET $7::integer - 1)
     RETURNING incarnation),
   superseded AS (
     UPDATE pawl.inbox_stream SET superseded_at = now()
     WHERE stream = $1 AND partition = $2 AND incarnation < $3 AND superseded_at IS NULL
       AND NOT EXISTS (SELECT FROM forgotten f WHERE f.incarnation = inbox_stream.incarnation))
   INSERT INTO pawl.inbox_stream (stream, partition, incarnation, receiver_incarnation, closed, compares)
   VALUES ($1, $2, $3, $4, $5, $6)`,
);
