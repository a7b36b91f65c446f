import { statement, type Transaction } from '@pawl/core';
import type { ControlFacts } from '../machine/control/control-order.js';
import { STEPS_OF_RUN, type StepRow, toStepRecords } from './step-record.js';

// Behind the lock of the run's row, so that it sees what the transaction that this one waited for has written.
const CONTROL_FACTS = statement(
  'control_facts',
  `select ${STEPS_OF_RUN} as records, r.status in ('running', 'compensating') and r.due_at is null as quarantined from pawl.run r where r.id = $1`,
);

/** What a person's order for a locked run is decided on, besides its row. */
export async function controlFacts(tx: Transaction, runId: string): Promise<ControlFacts> {
  const [row] = await tx.query<{ records: readonly StepRow[]; quarantined: boolean }>(CONTROL_FACTS, [runId]);
  return { records: toStepRecords(row?.records ?? []), quarantined: row?.quarantined ?? false };
}
