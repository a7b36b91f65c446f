import { type Json, PawlError, statement, type Transaction } from '@pawl/core';
import type { RecordedError } from '../dead-letter.js';

/** A dead letter of which somebody has asked something, as who carries it out reads it. */
export interface Requested {
  readonly id: string;
  readonly origin: 'message' | 'event';
  readonly requested: 'redrive' | 'waive';
  readonly actor: string;
  readonly actor_reason: string;
  /** Fencing token: whoever begins it next has a higher one. */
  readonly tries: number;
  readonly tries_left: number;
  readonly message_id: string;
  readonly source: string | null;
  readonly workflow: string | null;
  readonly run_key: string | null;
  readonly type: string;
  readonly version: number;
  readonly payload: Json;
  readonly envelope: object | null;
}

const COLUMNS = `id, origin, requested, actor, actor_reason, tries, tries_left, message_id, source, workflow, run_key, type, version,
  payload, envelope`;

/** Errors that a row keeps: the first and the newest. */
const ERRORS_MAX = 100;

/** Begins what was asked for longest ago and nobody is at; it is counted first, for it may end its process. */
export async function claimRequested(tx: Transaction, leaseMs: number): Promise<Requested | undefined> {
  return (await tx.query<Requested>(CLAIM, [leaseMs]))[0];
}

/**
 * Closes the row, last in its transaction: whoever decides an event locks its run first, then this row.
 * @throws SupersededError somebody else has begun it again, or it is dealt with
 */
export async function resolve(
  tx: Transaction,
  { id, tries }: Requested,
  resolution: 'redriven' | 'waived',
): Promise<void> {
  if ((await tx.query(RESOLVE, [id, tries, resolution])).length === 0) throw new SupersededError(id);
}

/** What was asked for has failed: the error joins the others, and the row is open for another request. */
export async function recordFailed(
  tx: Transaction,
  { id, tries }: Requested,
  error: RecordedError,
): Promise<void> {
  await tx.query(FAIL, [id, tries, JSON.stringify([error]), ERRORS_MAX]);
}

/** It could not be tried: it is begun again in so many milliseconds, and this try does not count. */
export async function putBack(tx: Transaction, { id, tries }: Requested, inMs: number): Promise<void> {
  await tx.query(PUT_BACK, [id, tries, inMs]);
}

/** Somebody else has begun the request again, because this took longer than its lease; nothing of it may commit. */
export class SupersededError extends PawlError {
  constructor(id: string) {
    super('redrive_superseded', `Dead letter ${id} is in other hands by now.`, { id });
  }
}

const CLAIM = statement(
  'dead_letter_claim',
  `UPDATE pawl.dead_letter SET tries = tries + 1, tries_left = tries_left - 1,
     claimed_until = clock_timestamp() + $1 * interval '1 millisecond'
   WHERE id = (
     SELECT id FROM pawl.dead_letter
     WHERE requested IS NOT NULL AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
     ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED)
   RETURNING ${COLUMNS}`,
);

/** An event that was parked all the time is resolved by the verdict it gets now, in the same transaction. */
const RESOLVE = statement(
  'dead_letter_resolve',
  `UPDATE pawl.dead_letter SET resolved_at = clock_timestamp(), resolution = $3, requested = NULL, claimed_until = NULL
   WHERE id = $1 AND tries = $2 AND (requested IS NOT NULL OR ($3 = 'redriven' AND resolution = 'decided'))
   RETURNING id`,
);

const FAIL = statement(
  'dead_letter_fail',
  `UPDATE pawl.dead_letter SET requested = NULL, claimed_until = NULL,
     errors = CASE WHEN jsonb_array_length(errors) >= $4 THEN errors - 1 ELSE errors END || $3::jsonb
   WHERE id = $1 AND tries = $2`,
);

const PUT_BACK = statement(
  'dead_letter_put_back',
  `UPDATE pawl.dead_letter SET tries_left = tries_left + 1, claimed_until = clock_timestamp() + $3 * interval '1 millisecond'
   WHERE id = $1 AND tries = $2`,
);
