import { statement, type Transaction } from '@pawl/core';
import type { Run } from '../model/run.js';
import type { Receipt, Rule, Verdict } from '../model/verdict.js';

const EVENT_RECEIPT = statement(
  'event_receipt',
  `select verdict, rule, detail from pawl.journal
   where run_id = $1 and kind = 'event' and event_id = $2 and source = $3 order by revision limit 1`,
);

interface ReceiptRow {
  readonly verdict: Verdict;
  readonly rule: Rule;
  readonly detail: string | null;
}

/** What a locked run's journal says of an event: for a caller whose COMMIT was not answered. */
export async function eventReceipt(
  tx: Transaction,
  run: Run,
  { id, source }: { readonly id: string; readonly source: string },
): Promise<Receipt | undefined> {
  const [row] = await tx.query<ReceiptRow>(EVENT_RECEIPT, [run.id, id, source]);
  if (row === undefined) return undefined;
  const { verdict, rule, detail } = row;
  const { id: runId, key, status, state } = run;
  return { verdict, rule, ...(detail === null ? {} : { detail }), runId, key, status, state };
}
