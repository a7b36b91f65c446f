import { statement, type Transaction } from '@pawl/core';
import type { Run } from '../model/run.js';
import { ENDED } from './run-row.js';

// Only at the revision that the decision was made on: an event that came meanwhile may have made work due, and whoever holds the run looks again.
const SETTLE_RUN = statement(
  'settle_run',
  `with held as (
     select id from pawl.run where id = $1 and fencing_token = $2 for no key update
   ), settled as (
     update pawl.run r set status = $4, lease_until = null, due_at = null, claims = 0, dispatch = r.dispatch + 1,
       revision = r.revision + case when $4 = any ('${ENDED}') then 1 else 0 end, updated_at = clock_timestamp(),
       ended_at = case when $4 = any ('${ENDED}') then clock_timestamp() end,
       attention = case when $4 = 'compensation_failed' and r.attention is null then 'not all could be undone' else r.attention end
     from held where r.id = held.id and r.status = $3 and r.revision = $5
     returning r.id, r.revision, r.state, r.ended_at
   ), stopped as (
     delete from pawl.timer t using settled where t.run_id = settled.id and settled.ended_at is not null
   ), journaled as (
     insert into pawl.journal (run_id, revision, kind, name, from_state, to_state)
     select id, revision, 'undo', $4, state, state from settled where ended_at is not null
   )
   select settled.id is not null as settled from held left join settled on true`,
);

/** `settled`: the run has its status and is given back. `changed`: look again. `lost`: it is not this worker's any more. */
export type Settled = 'settled' | 'changed' | 'lost';

/** Gives back a run that nothing is due for, with the status that follows: it waits, or what was to be undone is undone and it has ended. */
export async function settleRun(
  tx: Transaction,
  { run, fencingToken }: { readonly run: Run; readonly fencingToken: number },
  after: Run,
): Promise<Settled> {
  const values = [run.id, fencingToken, run.status, after.status, run.revision];
  const [row] = await tx.query<{ settled: boolean }>(SETTLE_RUN, values);
  if (row === undefined) return 'lost';
  return row.settled ? 'settled' : 'changed';
}
