import { statement, type Transaction } from '@pawl/core';
import type { Run } from '../model/run.js';
import type { StepRecord } from '../model/step-record.js';
import { ENDED } from './run-row.js';
import { BEGUN } from './step-delay.js';
import { appendStepLoss } from './step-losses.js';

/** One attempt at a step or a compensation, under the claim that makes it. */
export interface AttemptAt {
  readonly run: Run;
  readonly fencingToken: number;
  readonly name: string;
  readonly kind: StepRecord['kind'];
  /** Of a compensation: its step. */
  readonly undoes: string | null;
  /** -1 for one that runs once. */
  readonly item: number;
  readonly generation: number;
  readonly effect: 'transactional' | 'external';
  readonly attemptId: string;
  readonly idempotencyKey: string;
}

// FOR SHARE: the token holds until this commits; whoever claims meanwhile waits and then finds the intent. A compensation does not mind the state:
// what a run left open in an earlier one is undone while it goes on.
const FENCED = `select r.id, r.round, r.fencing_token from pawl.run r where r.id = $1 and r.fencing_token = $2 and r.round = $4`;
const GOES_ON = `case when $5 = 'step' then r.status = 'running' and r.state = $3 else r.status in ('running', 'compensating') end`;
// A call that was under way when its run was paused, or failed of another step, has an outcome all the same.
const GOES_ON_OR_STANDS = `case when $5 <> 'step' then r.status in ('running', 'compensating') or $10 = 'external' and r.status = 'paused'
  else r.state = $3 and (r.status = 'running' or $10 = 'external' and r.status in ('paused', 'failed') and r.undo_scope is null) end`;

const ATTEMPT =
  '(run_id, round, kind, name, undoes, item, generation, effect, attempt_id, idempotency_key, fencing_token';
const OF_ATTEMPT = 'id, round, $5, $6, $7, $8::bigint, $9::int, $10, $11::uuid, $12, fencing_token';

// An attempt is in doubt from its intent on, until somebody says what came of it. The step's own deadline counts from its first one, or from its delay.
// What an attempt before this one may still do is not forgotten: its deadline, if it never ended. The step that can not be taken back locks the run as it
// will write it: two such steps side by side would otherwise wait for each other.
const intentStatement = (name: string, lock: string) =>
  statement(
    name,
    `with held as (${FENCED} and ${GOES_ON} for ${lock}), recorded as (
     insert into pawl.step as s ${ATTEMPT}, status, attempts, in_doubt, deadline, expires_at)
     select ${OF_ATTEMPT}, 'intent', 1, $10 = 'external', clock_timestamp() + make_interval(secs => $13 / 1000.0),
       clock_timestamp() + make_interval(secs => $14 / 1000.0) from held
     on conflict (run_id, round, name, item, generation) do update set status = 'intent', attempts = s.attempts + 1,
       attempt_id = excluded.attempt_id, fencing_token = excluded.fencing_token, deadline = excluded.deadline,
       earlier_deadline = greatest(s.earlier_deadline, s.deadline),
       in_doubt = excluded.in_doubt, confirm_attempts = 0, expires_at = coalesce(s.expires_at, excluded.expires_at),
       started_at = clock_timestamp(), next_attempt_at = null, ${BEGUN}
     where s.status not in ('done', 'skipped', 'lost', 'in_doubt', 'failed')
     returning s.run_id, s.attempts, (extract(epoch from s.intended_at) * 1000)::float8 as intended_ms
   ), committed as (
     update pawl.run r set no_return = true from recorded where $15 and r.id = recorded.run_id
   )
   select attempts, intended_ms from recorded`,
  );
const RECORD_INTENT = intentStatement('record_intent', 'share');
const RECORD_FINAL_INTENT = intentStatement('record_final_intent', 'no key update');

const ERRORS_KEPT = 20;

// One error more, the oldest dropped beyond the limit. A transactional attempt has no intent: it is counted here. That one item has failed is between it
// and its step: the run's row and journal hear of the step.
const RECORD_FAILURE = statement(
  'record_failure',
  `with held as (${FENCED} and ${GOES_ON_OR_STANDS} for no key update), failed as (
     insert into pawl.step as s ${ATTEMPT}, status, attempts, in_doubt, next_attempt_at, finished_at, expires_at, errors)
     select ${OF_ATTEMPT}, $13, $14, $15, clock_timestamp() + make_interval(secs => $16 / 1000.0),
       case when $13 = 'failed' then clock_timestamp() end, clock_timestamp() + make_interval(secs => $17 / 1000.0),
       jsonb_build_array($18::jsonb || jsonb_build_object('at', clock_timestamp()))
     from held
     on conflict (run_id, round, name, item, generation) do update set status = excluded.status, attempts = excluded.attempts,
       attempt_id = excluded.attempt_id, fencing_token = excluded.fencing_token, next_attempt_at = excluded.next_attempt_at, ${BEGUN},
       in_doubt = excluded.in_doubt,
       expires_at = case when $17 = 0 then clock_timestamp() else coalesce(s.expires_at, excluded.expires_at) end,
       deadline = case when $19 then clock_timestamp() else s.deadline end, finished_at = excluded.finished_at,
       errors = case when jsonb_array_length(s.errors) >= ${ERRORS_KEPT} then s.errors - 0 else s.errors end || excluded.errors
     where s.status not in ('done', 'skipped', 'lost')
     returning s.run_id
   ), journaled as (
     update pawl.run r set status = case when r.status in ('paused', 'failed') and $20 = 'compensating' then r.status else coalesce($20, r.status) end,
       undo_scope = case when $20 = 'compensating' and r.status <> 'failed' then 'all' else r.undo_scope end,
       undo_to = case when $20 = 'compensating' and r.status <> 'failed' then 'compensated' else r.undo_to end,
       paused_at = case when $20 is distinct from 'failed' then r.paused_at end,
       attention = case when $21::text is null then r.attention else concat_ws('; ', r.attention, $21) end,
       updated_at = clock_timestamp(), revision = r.revision + 1,
       lease_until = case when $20 is distinct from 'failed' then r.lease_until end,
       due_at = case when $20 is distinct from 'failed' then r.due_at end,
       ended_at = case when $20 = any ('${ENDED}') then clock_timestamp() when r.status = 'failed' then r.ended_at end
     from failed where $13 = 'failed' and $8 = -1 and r.id = failed.run_id
     returning r.id, r.revision, r.state
   ), entry as (
     insert into pawl.journal (run_id, revision, kind, name, detail, from_state, to_state)
     select id, revision, case when $5 = 'step' then 'step' else 'undo' end, $6, $22, state, state from journaled
   )
   select run_id from failed`,
);

// The run has left the state while the call was under way: what came of it is kept with its attempt. Not so while the run is still there, paused or
// not: then another worker has it, and a record that says "done" would keep that worker from the rest of the step, its messages and its transition.
const RECORD_OUTCOME = statement(
  'record_outcome',
  `with gone as (
     select id from pawl.run where id = $1 and not (round = $6
       and case when $7 = 'step' then status in ('running', 'paused', 'failed') and undo_scope is null and state = $5
           else status in ('running', 'compensating', 'paused') end) for share
   )
   update pawl.step s set status = 'done', output = $4::jsonb, in_doubt = false, finished_at = clock_timestamp(), next_attempt_at = null
   from gone where s.run_id = gone.id and s.name = $2 and s.attempt_id = $3 and s.status = 'intent' returning 1`,
);

export interface IntentTerms {
  /** How long the attempt may take. Milliseconds. */
  readonly timeoutMs: number;
  /** How long all attempts may take; counts from the first one. Milliseconds. */
  readonly deadlineMs?: number | undefined;
  /** The run can not be undone any more from now on. */
  readonly noReturn: boolean;
  /** `at-most-once`: with the intent goes a row in the loss ledger. */
  readonly guarantee?: 'at-least-once' | 'at-most-once';
}

export interface Intent {
  /** Attempts spent, this one included. */
  readonly attempts: number;
  /** When the first of them was recorded; milliseconds since 1970. */
  readonly intendedMs: number;
}

/** How long after its time an attempt still counts as able to take effect: a request may be on its way. Milliseconds. */
export const DOUBT_GRACE_MS = 1_000;

/**
 * Records that an external attempt is about to be made, and spends it. Whoever makes it ends it before `timeoutMs` and the grace are over, counted
 * from before this was called. Undefined: the lease is lost or the run has moved.
 */
export async function recordIntent(
  tx: Transaction,
  at: AttemptAt,
  { timeoutMs, deadlineMs, noReturn, guarantee }: IntentTerms,
): Promise<Intent | undefined> {
  const underWayMs = timeoutMs + DOUBT_GRACE_MS;
  const values = [...attemptValues(at), underWayMs, deadlineMs ?? null, noReturn];
  const recorded = noReturn ? RECORD_FINAL_INTENT : RECORD_INTENT;
  const [row] = await tx.query<{ attempts: number; intended_ms: number }>(recorded, values);
  if (row && guarantee === 'at-most-once') await appendStepLoss(tx, at, underWayMs);
  return row && { attempts: row.attempts, intendedMs: row.intended_ms };
}

export interface Failure {
  /** Attempts spent, this one included. */
  readonly attempts: number;
  /** Null: no further attempt, it has failed. Milliseconds. */
  readonly retryInMs: number | null;
  /** Whether this attempt or one before it may have taken effect. */
  readonly inDoubt: boolean;
  /** The call has ended: nothing of it can take effect after this. */
  readonly ended: boolean;
  /** How long all attempts may take, where this is the first that is recorded; 0: none is made any more. Milliseconds. */
  readonly deadlineMs: number | undefined;
  readonly error: { readonly name: string; readonly message: string };
  /** With the last attempt: what becomes of the run; null: it goes on. */
  readonly runStatus: 'failed' | 'compensating' | null;
  /** With the last attempt: why a person should look; null: nobody need. */
  readonly attention: string | null;
}

/** Records a failed attempt, and what the last one means for the run. False: the lease is lost, the run has moved, or it is done. */
export async function recordFailure(tx: Transaction, at: AttemptAt, failure: Failure): Promise<boolean> {
  const rows = await tx.query(RECORD_FAILURE, [
    ...attemptValues(at),
    failure.retryInMs === null ? 'failed' : 'retrying',
    failure.attempts,
    failure.inDoubt,
    failure.retryInMs,
    failure.deadlineMs ?? null,
    JSON.stringify(failure.error),
    failure.ended,
    failure.runStatus,
    failure.attention,
    failure.error.message,
  ]);
  return rows.length > 0;
}

/** Keeps the outcome of an external attempt whose run has moved on meanwhile. */
export async function recordOutcome(tx: Transaction, at: AttemptAt, output: unknown): Promise<boolean> {
  const { id, state, round } = at.run;
  const values = [id, at.name, at.attemptId, JSON.stringify(output ?? null), state, round, at.kind];
  return (await tx.query(RECORD_OUTCOME, values)).length > 0;
}

function attemptValues(at: AttemptAt): unknown[] {
  const { run, fencingToken, kind, name, undoes, item, generation, effect, attemptId, idempotencyKey } = at;
  return [
    run.id,
    fencingToken,
    run.state,
    run.round,
    kind,
    name,
    undoes,
    item,
    generation,
    effect,
    attemptId,
    idempotencyKey,
  ];
}
