import { statement, type Transaction } from '@pawl/core';
import type { Run } from '../model/run.js';
import type { StepRecord } from '../model/step-record.js';
import { STEPS_OF_RUN, type StepRow, toStepRecords } from './step-record.js';

// Under the run's lock, which an intent shares: what is not on record yet is not begun any more.
const MARK_ABANDONED = statement(
  'mark_abandoned_steps',
  `with marked as (
     update pawl.step s set abandoned = true
     where s.run_id = $1 and s.round = $2 and s.name = any ($3::text[]) and s.kind = 'step' and s.item = -1 and not s.abandoned
       and s.status in ('open', 'intent', 'retrying', 'in_doubt') and (s.in_doubt or s.items_total is not null)
     returning 1
   )
   select exists (select 1 from marked)
     or exists (select 1 from pawl.step s where s.run_id = $1 and s.round = $2 and s.abandoned) as any`,
);

const READ_STEPS = statement(
  'read_steps_of_run',
  `select ${STEPS_OF_RUN} as steps from pawl.run r where r.id = $1`,
);

/**
 * Marks what these steps have left open in a state that a locked run has left: it is undone on its own.
 * @returns the steps of the run, if anything of it was ever left open; else none
 */
export async function markAbandoned(
  tx: Transaction,
  run: Pick<Run, 'id' | 'round'>,
  names: readonly string[],
): Promise<StepRecord[]> {
  const [row] = await tx.query<{ any: boolean }>(MARK_ABANDONED, [run.id, run.round, names]);
  return row?.any ? readSteps(tx, run.id) : [];
}

/** What is known of the steps of a run. */
async function readSteps(tx: Transaction, runId: string): Promise<StepRecord[]> {
  const [row] = await tx.query<{ steps: StepRow[] }>(READ_STEPS, [runId]);
  return toStepRecords(row?.steps ?? []);
}
