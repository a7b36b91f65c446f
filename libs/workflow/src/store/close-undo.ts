import { statement, type Transaction } from '@pawl/core';
import type { Run } from '../model/run.js';
import type { FinishedStep } from './close-steps.js';

// As the closing statement of steps, without the state: what a run left open in an earlier one is undone while it goes on. The revision tells whether
// somebody has written the run meanwhile. Undoing one item is no entry of the journal: there may be very many of them.
const CLOSE_UNDO = statement(
  'close_undo',
  `with held as (
     update pawl.run set claims = 0, revision = revision + $7, updated_at = clock_timestamp()
     where id = $1 and fencing_token = $2 and round = $3
       and (status in ('running', 'compensating') or $6 and status = 'paused') and pg_current_xact_id()::text = $4
     returning id, round, fencing_token, revision, state
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
   ), journaled as (
     insert into pawl.journal (run_id, revision, kind, name, from_state, to_state)
     select held.id, held.revision - $7 + x.nth, 'undo', x.name, held.state, held.state
     from held, lateral (select u.name, row_number() over () as nth
       from jsonb_to_recordset($5::jsonb) as u (name text, item bigint) where u.item = -1) as x
   )
   select held.revision::float8, (select count(*)::int from recorded) as recorded, pg_current_xact_id()::text = $4 as same_transaction
   from (select 1) as one left join held on true`,
);

/** `closed`: the records stand, if the transaction commits. The other two are as those of `closeSteps`. */
export type UndoClosed =
  | { readonly kind: 'closed'; readonly revision: number }
  | { readonly kind: 'refused' }
  | { readonly kind: 'transaction-ended' };

/** Writes that effects are undone; the fencing token and the record's own status are what makes it once. */
export async function closeUndo(
  tx: Transaction,
  run: Run,
  fencingToken: number,
  undone: readonly FinishedStep[],
): Promise<UndoClosed> {
  const rows = JSON.stringify(undone.map((step) => ({ ...step, output: step.output ?? null })));
  const [row] = await tx.query<{
    revision: number | null;
    recorded: number;
    same_transaction: boolean;
  }>(CLOSE_UNDO, [
    run.id,
    fencingToken,
    run.round,
    tx.id,
    rows,
    undone.every(({ effect }) => effect === 'external'),
    undone.filter(({ item }) => item === -1).length,
  ]);
  if (!row?.same_transaction) return { kind: 'transaction-ended' };
  if (row.revision === null || row.recorded !== undone.length) return { kind: 'refused' };
  return { kind: 'closed', revision: row.revision };
}
