import { statement, type Transaction } from '@pawl/core';
import type { AttemptAt } from './step-attempts.js';

// The run has left the state, or is undone, while the call was under way, and the call has failed. That it has ended is kept with its attempt: what may
// have taken effect can be undone now, and need not wait for the attempt's deadline. The same condition as that of `record_outcome`.
const RECORD_ENDED = statement(
  'record_ended_call',
  `with gone as (
     select id from pawl.run where id = $1 and not (round = $5
       and case when $6 = 'step' then status in ('running', 'paused', 'failed') and undo_scope is null and state = $4
           else status in ('running', 'compensating', 'paused') end) for share
   )
   update pawl.step s set status = 'retrying', in_doubt = $7, deadline = clock_timestamp(), next_attempt_at = null,
     errors = s.errors || jsonb_build_array($8::jsonb || jsonb_build_object('at', clock_timestamp()))
   from gone where s.run_id = gone.id and s.name = $2 and s.attempt_id = $3 and s.status = 'intent' returning 1`,
);

/** Keeps that an external attempt has failed whose run has moved on meanwhile. False: the run is still there. */
export async function recordEndedCall(
  tx: Transaction,
  { run, name, attemptId, kind }: AttemptAt,
  { inDoubt, error }: { readonly inDoubt: boolean; readonly error: object },
): Promise<boolean> {
  const values = [run.id, name, attemptId, run.state, run.round, kind, inDoubt, JSON.stringify(error)];
  return (await tx.query(RECORD_ENDED, values)).length > 0;
}
