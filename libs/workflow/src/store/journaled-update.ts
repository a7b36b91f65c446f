import { statement, type Transaction } from '@pawl/core';
import type { AnsweredUpdate } from '../model/update.js';

// Under the run's lock: whoever makes the same update at the same time has committed or waits.
const JOURNALED_UPDATE = statement(
  'journaled_update',
  `select name as member, digest, payload from pawl.journal where run_id = $1 and kind = 'update' and event_id = $2`,
);

interface UpdateRow {
  readonly member: string;
  readonly digest: string;
  readonly payload: { readonly answer?: unknown };
}

/** What a locked run's journal has under the id of an update; undefined if it was not made. */
export async function journaledUpdate(
  tx: Transaction,
  runId: string,
  updateId: string,
): Promise<AnsweredUpdate | undefined> {
  const [row] = await tx.query<UpdateRow>(JOURNALED_UPDATE, [runId, updateId]);
  return row && { member: row.member, digest: row.digest, answer: row.payload.answer };
}
