import { statement, type Transaction } from '@pawl/core';
import type { JournalEntry } from '../model/change.js';
import type { Run } from '../model/run.js';
import type { StepRecord } from '../model/step-record.js';
import { ENDED } from './run-row.js';
import { BEGUN } from './step-delay.js';

/** A step whose work is done and whose record is about to be written. */
export interface FinishedStep {
  readonly name: string;
  readonly effect: 'transactional' | 'external';
  readonly attempts: number;
  readonly attemptId: string;
  readonly idempotencyKey: string;
  readonly output: unknown;
  /** Default `done`. */
  readonly status?: 'done' | 'lost';
  readonly kind: StepRecord['kind'];
  /** Of a compensation: its step. */
  readonly undoes: string | null;
  /** -1 for one that runs once. */
  readonly item: number;
  readonly generation: number;
}

export interface Closing {
  /** The run as it was when the steps ran: its state and round must still hold. */
  readonly before: Run;
  /** The run afterwards, by the machine. */
  readonly after: Run;
  readonly fencingToken: number;
  readonly steps: readonly FinishedStep[];
  /** The transition's entry, if the run moves. */
  readonly journal: readonly JournalEntry[];
  /** Nothing is due afterwards, so the run is given back in the same statement. */
  readonly release: boolean;
}

/**
 * - `closed`: the records stand, if the transaction commits. `parkedCount` events wait with the run, to be decided before COMMIT.
 * - `refused`: the lease is lost, the run has left the state, or the step is recorded already; roll back.
 * - `transaction-ended`: a step has committed or rolled back by itself.
 */
export type Closed =
  | {
      readonly kind: 'closed';
      readonly revision: number;
      readonly parkedCount: number;
      readonly released: boolean;
    }
  | { readonly kind: 'refused' }
  | { readonly kind: 'transaction-ended' };

// The last statement of a step's transaction. Each condition closes one race:
//   fencing_token: another worker has claimed the run since (a zombie's commit).
//   status, state, round: an event has moved the run while the step ran (D1). A run that was paused, or has failed, meanwhile keeps what a call has
//     done elsewhere, and stays as it is; what a transaction has done is rolled back and done again.
//   pg_current_xact_id: the step has committed by itself, and what follows would be another transaction.
//   the status of the record, and the count: the step has been recorded by another attempt.
// parked_count comes from the newest version of the row, for the snapshot may be older than a receive it waited for (D25).
const CLOSE_STEPS = statement(
  'close_steps',
  `with held as (
     update pawl.run set state = $6, revision = revision + $8, claims = 0,
       status = case when status in ('paused', 'failed') and $7 in ('running', 'waiting', 'compensating') then status else $7 end,
       lease_until = case when not $9 then lease_until end,
       due_at = case when not $9 then due_at end,
       undo_scope = $12, undo_to = $13, no_return = no_return or $14,
       updated_at = clock_timestamp(),
       ended_at = case when $7 = any ('${ENDED}') then clock_timestamp() when status = 'failed' then ended_at end
     where id = $1 and fencing_token = $2 and state = $3 and round = $4
       and (status = $15 or $16 and undo_scope is null and status in ('paused', 'failed'))
       and pg_current_xact_id()::text = $5
     returning id, round, fencing_token, parked_count, revision, lease_until is null as released
   ), recorded as (
     insert into pawl.step as s (run_id, round, name, status, effect, attempts, attempt_id, idempotency_key, fencing_token,
       finished_at, output, kind, undoes, item, generation, in_doubt)
     select held.id, held.round, x.name, x.status, x.effect, x.attempts, x."attemptId", x."idempotencyKey", held.fencing_token,
       clock_timestamp(), x.output, x.kind, x.undoes, x.item, x.generation, x.status = 'lost'
     from held, jsonb_to_recordset($10::jsonb) as x (name text, status text, effect text, attempts int, "attemptId" uuid,
       "idempotencyKey" text, output jsonb, kind text, undoes text, item bigint, generation int)
     on conflict (run_id, round, name, item, generation) do update set status = excluded.status, attempts = excluded.attempts,
       attempt_id = excluded.attempt_id, fencing_token = excluded.fencing_token, finished_at = excluded.finished_at,
       next_attempt_at = null, output = excluded.output, in_doubt = excluded.in_doubt, ${BEGUN}
     where s.status not in ('done', 'skipped', 'lost')
     returning 1
   ), journaled as (
     insert into pawl.journal (run_id, revision, kind, name, from_state, to_state)
     select held.id, held.revision, j.kind, j.name, j."fromState", j."toState"
     from held, jsonb_to_recordset($11::jsonb) as j (kind text, name text, "fromState" text, "toState" text)
   )
   select held.revision::float8, held.parked_count, held.released, (select count(*)::int from recorded) as recorded,
     pg_current_xact_id()::text = $5 as same_transaction
   from (select 1) as one left join held on true`,
);

/** Writes what the steps of one transaction have achieved; see the statement for the races it closes. */
export async function closeSteps(tx: Transaction, closing: Closing): Promise<Closed> {
  const { before, after, fencingToken, steps, journal, release } = closing;
  const [row] = await tx.query<{
    revision: number | null;
    parked_count: number;
    released: boolean;
    recorded: number;
    same_transaction: boolean;
  }>(CLOSE_STEPS, [
    before.id,
    fencingToken,
    before.state,
    before.round,
    tx.id,
    after.state,
    after.status,
    journal.length,
    release,
    JSON.stringify(steps.map((step) => ({ status: 'done', ...step, output: step.output ?? null }))),
    JSON.stringify(journal),
    after.undo?.scope ?? null,
    after.undo?.to ?? null,
    // Only what these steps have made of it: since the run was read it may have turned out that another one had no effect.
    after.noReturn && !before.noReturn,
    before.status,
    steps.every(({ effect }) => effect === 'external'),
  ]);
  if (!row?.same_transaction) return { kind: 'transaction-ended' };
  if (row.revision === null || row.recorded !== steps.length) return { kind: 'refused' };
  return { kind: 'closed', revision: row.revision, parkedCount: row.parked_count, released: row.released };
}
