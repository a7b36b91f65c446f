import { statement, type Transaction } from '@pawl/core';
import type { Run } from '../model/run.js';
import type { FinishedStep } from './close-steps.js';

// As the closing statement of steps, without the state: what a run left open in an earlier one is undone while it goes on.
const CLOSE_UNDO = statement(
  'close_undo',
  `with held as (
     update pawl.run set claims = 0, updated_at = clock_timestamp()
     where id = $1 and fencing_token = $2 and status in ('running', 'compensating') and round = $3
       and pg_current_xact_id()::text = $4
     returning id, round, fencing_token
   ), recorded as (
     insert into pawl.step as s (run_id, round, name, kind, undoes, item, generation, status, effect, attempts, attempt_id, idempotency_key,
       fencing_token, finished_at, output)
     select held.id, held.round, x.name, 'compensation', x.undoes, x.item, x.generation, 'done', x.effect, x.attempts, x."attemptId",
       x."idempotencyKey", held.fencing_token, clock_timestamp(), x.output
     from held, jsonb_to_recordset($5::jsonb) as x (name text, undoes text, item bigint, generation int, effect text, attempts int,
       "attemptId" uuid, "idempotencyKey" text, output jsonb)
     on conflict (run_id, round, name, item, generation) do update set status = 'done', attempts = excluded.attempts,
       attempt_id = excluded.attempt_id, fencing_token = excluded.fencing_token, finished_at = excluded.finished_at,
       next_attempt_at = null, output = excluded.output, in_doubt = false
     where s.status <> 'done'
     returning 1
   )
   select held.id is not null as held, (select count(*)::int from recorded) as recorded, pg_current_xact_id()::text = $4 as same_transaction
   from (select 1) as one left join held on true`,
);

/** `closed`: the records stand, if the transaction commits. The other two are as those of `closeSteps`. */
export type UndoClosed = { readonly kind: 'closed' | 'refused' | 'transaction-ended' };

/** Writes that effects are undone; the fencing token and the record's own status are what makes it once. */
export async function closeUndo(
  tx: Transaction,
  run: Run,
  fencingToken: number,
  undone: readonly FinishedStep[],
): Promise<UndoClosed> {
  const rows = JSON.stringify(undone.map((step) => ({ ...step, output: step.output ?? null })));
  const [row] = await tx.query<{ held: boolean; recorded: number; same_transaction: boolean }>(CLOSE_UNDO, [
    run.id,
    fencingToken,
    run.round,
    tx.id,
    rows,
  ]);
  if (!row?.same_transaction) return { kind: 'transaction-ended' };
  return { kind: row.held && row.recorded === undone.length ? 'closed' : 'refused' };
}
