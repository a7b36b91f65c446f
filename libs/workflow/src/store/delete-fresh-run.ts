import { statement, type Transaction } from '@pawl/core';

const DELETE_FRESH_RUN = statement(
  'delete_fresh_run',
  `delete from pawl.run where id = $1 and status = 'awaited'`,
);

/** Removes the row of a run that this very transaction has made for an event that does not stay. */
export async function deleteFreshRun(tx: Transaction, runId: string): Promise<void> {
  await tx.query(DELETE_FRESH_RUN, [runId]);
}
