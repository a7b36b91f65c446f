import { statement, type Transaction } from '@pawl/core';
import type { Run } from '../model/run.js';

/** What names an attempt at a step of a run that this process holds. */
export interface AttemptAt {
  readonly run: Run;
  readonly fencingToken: number;
  readonly step: string;
  readonly effect: 'transactional' | 'external';
  readonly attemptId: string;
  readonly idempotencyKey: string;
}

// FOR SHARE: the token holds until this commits; whoever claims meanwhile waits and then finds the intent.
const FENCED = `select r.id, r.round, r.fencing_token from pawl.run r
  where r.id = $1 and r.fencing_token = $2 and r.status = 'running' and r.state = $3 and r.round = $4`;

const RECORD_INTENT = statement(
  'record_intent',
  `with held as (${FENCED} for share)
   insert into pawl.step as s (run_id, round, name, status, effect, attempts, attempt_id, idempotency_key, fencing_token, deadline)
   select id, round, $5, 'intent', $6, 1, $7, $8, fencing_token, clock_timestamp() + make_interval(secs => $9 / 1000.0) from held
   on conflict (run_id, round, name, item, generation) do update set status = 'intent', attempts = s.attempts + 1,
     attempt_id = excluded.attempt_id, fencing_token = excluded.fencing_token, deadline = excluded.deadline,
     started_at = clock_timestamp(), next_attempt_at = null
   where s.status <> 'done'
   returning s.attempts, (extract(epoch from s.intended_at) * 1000)::float8 as intended_ms`,
);

const ERRORS_KEPT = 20;

// One error more, the oldest dropped beyond the limit. A transactional attempt has no intent: it is counted here.
const RECORD_FAILURE = statement(
  'record_failure',
  `with held as (${FENCED} for no key update), failed as (
     insert into pawl.step as s (run_id, round, name, status, effect, attempts, attempt_id, idempotency_key, fencing_token,
       next_attempt_at, finished_at, errors)
     select id, round, $5, $9, $6, $10, $7, $8, fencing_token,
       clock_timestamp() + make_interval(secs => $11 / 1000.0), case when $9 = 'failed' then clock_timestamp() end,
       jsonb_build_array($12::jsonb || jsonb_build_object('at', clock_timestamp()))
     from held
     on conflict (run_id, round, name, item, generation) do update set status = excluded.status, attempts = excluded.attempts,
       attempt_id = excluded.attempt_id, fencing_token = excluded.fencing_token, next_attempt_at = excluded.next_attempt_at,
       finished_at = excluded.finished_at,
       errors = case when jsonb_array_length(s.errors) >= ${ERRORS_KEPT} then s.errors - 0 else s.errors end || excluded.errors
     where s.status <> 'done'
     returning s.run_id
   ), journaled as (
     update pawl.run r set status = 'failed', attention = concat_ws('; ', r.attention, $13::text), updated_at = clock_timestamp(), revision = r.revision + 1, lease_until = null, due_at = null,
       ended_at = clock_timestamp()
     from failed where $9 = 'failed' and r.id = failed.run_id
     returning r.id, r.revision, r.state
   ), entry as (
     insert into pawl.journal (run_id, revision, kind, name, detail, from_state, to_state)
     select id, revision, 'step', $5, $13, state, state from journaled
   )
   select run_id from failed`,
);

// The run has left the state while the call was under way: what came of it is kept with its attempt. Not so while the run is still there: then
// another worker has it, and a record that says "done" would keep that worker from the rest of the step, its messages and its transition.
const RECORD_OUTCOME = statement(
  'record_outcome',
  `with gone as (
     select id from pawl.run where id = $1 and not (status = 'running' and state = $5 and round = $6) for share
   )
   update pawl.step s set status = 'done', output = $4::jsonb, finished_at = clock_timestamp(), next_attempt_at = null
   from gone where s.run_id = gone.id and s.name = $2 and s.attempt_id = $3 and s.status = 'intent' returning 1`,
);

export interface Intent {
  /** Attempts spent, this one included. */
  readonly attempts: number;
  /** When the first of them was recorded; milliseconds since 1970. */
  readonly intendedMs: number;
}

/** Records that an external attempt is about to be made, and spends it. Undefined: the lease is lost or the run has moved. */
export async function recordIntent(
  tx: Transaction,
  at: AttemptAt,
  timeoutMs: number,
): Promise<Intent | undefined> {
  const values = [...attemptValues(at), timeoutMs];
  const [row] = await tx.query<{ attempts: number; intended_ms: number }>(RECORD_INTENT, values);
  return row && { attempts: row.attempts, intendedMs: row.intended_ms };
}

export interface Failure {
  /** Attempts spent, this one included. */
  readonly attempts: number;
  /** Null: no further attempt, the step and its run have failed. Milliseconds. */
  readonly retryInMs: number | null;
  readonly error: { readonly name: string; readonly message: string };
  /** Why a person should look, when the run fails. */
  readonly attention: string;
}

/** Records a failed attempt; with the last one the run fails. False: the lease is lost, the run has moved, or the step is done. */
export async function recordFailure(tx: Transaction, at: AttemptAt, failure: Failure): Promise<boolean> {
  const rows = await tx.query(RECORD_FAILURE, [
    ...attemptValues(at),
    failure.retryInMs === null ? 'failed' : 'retrying',
    failure.attempts,
    failure.retryInMs,
    JSON.stringify(failure.error),
    failure.attention,
  ]);
  return rows.length > 0;
}

/** Keeps the outcome of an external attempt whose run has moved on meanwhile. */
export async function recordOutcome(tx: Transaction, at: AttemptAt, output: unknown): Promise<boolean> {
  const { id, state, round } = at.run;
  const values = [id, at.step, at.attemptId, JSON.stringify(output ?? null), state, round];
  return (await tx.query(RECORD_OUTCOME, values)).length > 0;
}

function attemptValues({ run, fencingToken, step, effect, attemptId, idempotencyKey }: AttemptAt): unknown[] {
  return [run.id, fencingToken, run.state, run.round, step, effect, attemptId, idempotencyKey];
}
