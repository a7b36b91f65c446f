import { statement, type Transaction } from '@pawl/core';
import { v7 } from 'uuid';
import { beginIncarnation } from '../protocol/begin-incarnation.js';
import { type SenderRow, senderOf, streamOf } from './sender-row.js';

/**
 * Why an incarnation began:
 * - `storage_changed`: the database was restarted, failed over or restored. No harm was seen.
 * - `sender_set_back`: the same, and the receiver has closed numbers that this side has forgotten.
 * - `superseded`, `never_sent`: the receiver contradicted a sender that had not noticed to be set back.
 * - `command`: a person asked for it.
 */
export type BeginReason = 'storage_changed' | 'sender_set_back' | 'superseded' | 'never_sent' | 'command';

export interface Beginning {
  readonly service: string;
  readonly reason: BeginReason;
  /** The newest incarnation that the receiver has told of. */
  readonly newest?: string;
  /** Numbers may have been given since the database was set back: none of them is trusted. */
  readonly numbersReused: boolean;
}

/** Begins new incarnations of partitions whose rows are locked. They are asked for at once, and give no number before the answer. */
export async function beginAnew(
  tx: Transaction,
  rows: readonly SenderRow[],
  { service, reason, newest, numbersReused }: Beginning,
): Promise<void> {
  if (rows.length === 0) return;
  const begun = rows.map((row) => {
    const options = { fresh: v7(), ...(newest !== undefined && { newest }), numbersReused };
    const { incarnation, previous } = beginIncarnation(senderOf(row), options);
    return {
      destination: row.destination,
      partition: row.partition,
      stream: streamOf(row, service),
      incarnation,
      former: row.incarnation,
      previous: previous?.incarnation ?? null,
      previousNext: previous?.nextSequence ?? null,
      renumber: numbersReused,
      first: row.storage === '',
      reason,
      id: v7(),
    };
  });
  await tx.query(BEGIN, [JSON.stringify(begun)]);
}

/** Most rows of `pawl.incarnation`. */
const RECORDS_MAX = 1_000;

/**
 * What was kept for a restore of the receiver keeps its number like the rest, until the receiver has answered: it may have been set back
 * as well. Where numbers are not trusted it is forgotten.
 */
const BEGIN = statement(
  'incarnation_begin',
  `WITH begun AS (
     SELECT * FROM jsonb_to_recordset($1::jsonb) AS begun (
       destination text, partition integer, stream text, incarnation uuid, former uuid, previous uuid, "previousNext" bigint,
       renumber boolean, first boolean, reason text, id uuid)),
   forgotten AS (
     DELETE FROM pawl.outbox o USING begun
     WHERE begun.renumber AND o.destination = begun.destination AND o.partition = begun.partition AND o.acknowledged_at IS NOT NULL),
   renumbered AS (
     UPDATE pawl.outbox o SET sequence = NULL, previous = NULL, next_publish_at = NULL
     FROM begun
     WHERE begun.renumber AND o.destination = begun.destination AND o.partition = begun.partition
       AND o.sequence IS NOT NULL AND o.acknowledged_at IS NULL),
   old AS (
     DELETE FROM pawl.incarnation
     WHERE id < (SELECT id FROM pawl.incarnation ORDER BY id DESC OFFSET ${RECORDS_MAX} LIMIT 1)),
   recorded AS (
     INSERT INTO pawl.incarnation (id, side, stream, partition, incarnation, previous, reason)
     SELECT id, 'sender', stream, partition, incarnation, former, reason FROM begun WHERE NOT first)
   UPDATE pawl.outbox_stream s
   SET incarnation = begun.incarnation, storage = pawl.storage_state(), opened_at = NULL, nonce = NULL, asked = 0,
     next_ask_at = now(), previous_incarnation = begun.previous, previous_next_sequence = begun."previousNext",
     next_sequence = 0, unacknowledged = 0, acknowledged = 0, acknowledged_end = 0, receiver_incarnation = NULL
   FROM begun WHERE s.destination = begun.destination AND s.partition = begun.partition`,
);
