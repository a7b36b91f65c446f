import { statement, type Transaction } from '@pawl/core';
import type { AttemptAt } from './step-attempts.js';

// FOR SHARE: the token holds until this commits. Written once: whoever comes second finds the instant, and does not delay the step again.
const RECORD_DELAY = statement(
  'record_delay',
  `with held as (
     select id, round, fencing_token from pawl.run
     where id = $1 and fencing_token = $2 and status = 'running' and state = $3 and round = $4 for share
   )
   insert into pawl.step (run_id, round, kind, name, item, generation, effect, attempt_id, idempotency_key, fencing_token, status, attempts,
     next_attempt_at, expires_at)
   select id, round, 'step', $5, $6::bigint, $7::int, $8, $9::uuid, $10, fencing_token, 'open', 0,
     clock_timestamp() + make_interval(secs => $11 / 1000.0), clock_timestamp() + make_interval(secs => $12 / 1000.0)
   from held
   on conflict (run_id, round, name, item, generation) do nothing returning 1`,
);

/** What an upsert of the step `s` has to set: a step that was delayed is begun by its first attempt, not by its delay. */
export const BEGUN =
  "intended_at = case when s.status = 'open' and s.items_total is null then excluded.intended_at else s.intended_at end";

/**
 * Records that a step has become due and is begun in `delayMs`. Its deadline counts from here. False: it is recorded already, the lease is lost,
 * or the run has left the state; there is nothing to do then.
 */
export async function recordDelay(
  tx: Transaction,
  { run, fencingToken, name, item, generation, effect, attemptId, idempotencyKey }: AttemptAt,
  {
    delayMs,
    deadlineMs = null,
  }: { readonly delayMs: number; readonly deadlineMs?: number | null | undefined },
): Promise<boolean> {
  const of = [run.id, fencingToken, run.state, run.round, name, item, generation];
  const rows = await tx.query(RECORD_DELAY, [...of, effect, attemptId, idempotencyKey, delayMs, deadlineMs]);
  return rows.length > 0;
}
