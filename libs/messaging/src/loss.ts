import { statement, type Transaction } from '@pawl/core';
import { v5, v7 } from 'uuid';
import type { Envelope } from './envelope.js';

/** An entry of the loss ledger: an effect that may not have happened, and why. */
export interface Loss {
  readonly origin: 'message' | 'event' | 'step';
  readonly workflow?: string;
  readonly runKey?: string;
  readonly type: string;
  /** The item or semantic key, if it has one. */
  readonly subject?: string;
  readonly payload: unknown;
  /** A stable code. */
  readonly reason: string;
  /** What is known beyond the reason. */
  readonly detail?: string;
  readonly messageId?: string;
  /** Default: a new one. */
  readonly id?: string;
  /** It may still be at work for so long. Milliseconds. */
  readonly underWayMs?: number;
}

/** The id of the loss that a message would be: it follows from its place in its stream. */
export function lossId({ stream, partition, incarnation, sequence }: Envelope): string {
  return v5(`${stream}/${partition}/${sequence}`, incarnation);
}

/** Writes losses in the caller's transaction, one statement for all. */
export async function appendLosses(tx: Transaction, losses: readonly Loss[]): Promise<void> {
  if (losses.length === 0) return;
  const rows = losses.map((loss) => ({ id: v7(), subject: '', ...loss }));
  await tx.query(APPEND, [JSON.stringify(rows)]);
}

/** Takes losses back that turned out to be none, in the caller's transaction; what is not there is no error. */
export async function retractLosses(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx.query(RETRACT, [ids]);
}

/** They are not at work any more, and stay: nobody knows whether they took effect. */
export async function settleLosses(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx.query(SETTLE, [ids]);
}

const RETRACT = statement('loss_retract', 'DELETE FROM pawl.loss WHERE id = any ($1::uuid[])');

const SETTLE = statement(
  'loss_settle',
  'UPDATE pawl.loss SET under_way_until = NULL WHERE id = any ($1::uuid[])',
);

const APPEND = statement(
  'loss_append',
  `INSERT INTO pawl.loss (id, origin, workflow, run_key, type, subject, payload, reason, detail, message_id, under_way_until)
   SELECT id, origin, workflow, "runKey", type, subject, payload, reason, detail, "messageId",
     clock_timestamp() + "underWayMs" * interval '1 millisecond'
   FROM jsonb_to_recordset($1::jsonb) AS loss (
     id uuid, origin text, workflow text, "runKey" text, type text, subject text, payload jsonb, reason text,
     detail text, "messageId" text, "underWayMs" integer)`,
);
