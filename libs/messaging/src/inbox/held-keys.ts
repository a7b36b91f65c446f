import { statement, type Transaction } from '@pawl/core';
import type { Envelope } from '../envelope.js';

export interface HeldLimits {
  /** Messages of one key that are held behind a dead letter. */
  readonly heldPerKeyMax: number;
  /** Messages that are held in all. */
  readonly heldMax: number;
}

/** The keys of a batch behind which others wait already, or that a dead letter holds, each with the room for more. To be asked under the lock of the partition's row. */
export async function heldKeys(
  tx: Transaction,
  stream: string,
  envelopes: readonly Envelope[],
  { heldPerKeyMax, heldMax }: HeldLimits,
): Promise<Map<string, number>> {
  const keys = new Set(
    envelopes.filter(({ keyorder }) => keyorder !== undefined).map(({ subject }) => subject),
  );
  if (keys.size === 0) return new Map();
  const rows = await tx.query<{ key: string; held: number; all: number }>(HELD, [
    stream,
    [...keys],
    heldPerKeyMax,
    heldMax,
  ]);
  return new Map(
    rows.map(({ key, held, all }) => [
      key,
      Math.min(heldPerKeyMax - held, Math.floor((heldMax - all) / rows.length)),
    ]),
  );
}

/** How many more messages can be held. Several batches may find the same room. */
export async function heldRoom(tx: Transaction, { heldMax }: HeldLimits): Promise<number> {
  const [row] = await tx.query<{ all: number }>(HELD_IN_ALL, [heldMax]);
  return heldMax - (row?.all ?? 0);
}

/** Stores messages that wait: for the dead letter of their key, or for a process that has their type and version. In their order. */
export async function holdMessages(tx: Transaction, envelopes: readonly Envelope[]): Promise<void> {
  if (envelopes.length > 0) await tx.query(HOLD, [envelopes.map((envelope) => JSON.stringify(envelope))]);
}

/** Counts no further than the limits, and only for keys that are held: seldom any. */
const HELD = statement(
  'held_keys',
  `WITH wanted AS (
     SELECT key FROM unnest($2::text[]) AS wanted (key)
     WHERE EXISTS (SELECT FROM pawl.dead_letter d WHERE d.stream = $1 AND d.held_key = key AND d.resolved_at IS NULL)
        OR EXISTS (SELECT FROM pawl.held_message h WHERE h.stream = $1 AND h.key = wanted.key))
   SELECT key,
     (SELECT count(*)::integer FROM (
        SELECT FROM pawl.held_message h WHERE h.stream = $1 AND h.key = wanted.key LIMIT $3) of_key) AS held,
     (SELECT count(*)::integer FROM (SELECT FROM pawl.held_message LIMIT $4) of_all) AS "all"
   FROM wanted`,
);

const HELD_IN_ALL = statement(
  'held_in_all',
  `SELECT count(*)::integer AS "all" FROM (SELECT FROM pawl.held_message LIMIT $1) of_all`,
);

const HOLD = statement(
  'held_hold',
  `INSERT INTO pawl.held_message (stream, key, envelope)
   SELECT envelope ->> 'stream', envelope ->> 'subject', envelope
   FROM unnest($1::jsonb[]) WITH ORDINALITY AS message (envelope, n) ORDER BY n`,
);
