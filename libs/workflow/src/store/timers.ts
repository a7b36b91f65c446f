import { statement, type Transaction } from '@pawl/core';
import { EVERY_STATE } from '../model/definition.js';
import type { DueTimer } from '../model/event.js';
import type { Run } from '../model/run.js';
import type { TimerChanges } from '../model/timer.js';

const STOP_TIMERS = statement(
  'stop_timers',
  `delete from pawl.timer where run_id = $1 and (state <> '${EVERY_STATE}' or $2)`,
);

const CANCEL_TIMERS = statement(
  'cancel_timers',
  `delete from pawl.timer t using jsonb_to_recordset($2::jsonb) as x (state text, member text)
   where t.run_id = $1 and t.state = x.state and t.member = x.member`,
);

// What is there already gets its new instant. It counts as started now: a pause adds to it from here.
const START_TIMERS = statement(
  'start_timers',
  `insert into pawl.timer as t (run_id, round, state, member, fire_at)
   select $1, $2, x.state, x.member,
     coalesce(to_timestamp(x."atMs" / 1000.0), clock_timestamp() + make_interval(secs => x."afterMs" / 1000.0))
   from jsonb_to_recordset($3::jsonb) as x (state text, member text, "afterMs" double precision, "atMs" double precision)
   on conflict (run_id, round, state, member) do update set fire_at = excluded.fire_at, started_at = excluded.started_at`,
);

// The run's row is locked by this transaction, which has moved it.
const RECORD_FAILED_TIMER = statement(
  'record_failed_timer',
  `with noted as (
     update pawl.run set revision = revision + 1, attention = coalesce(attention, 'handler-failed: ' || $3), updated_at = clock_timestamp()
     where id = $1 returning id, revision, state
   )
   insert into pawl.journal (run_id, revision, kind, name, verdict, rule, detail, from_state, to_state)
   select id, revision, 'timer', $2, 'rejected', 'handler-failed', $3, state, state from noted`,
);

const TAKE_DUE_TIMERS = statement(
  'take_due_timers',
  `delete from pawl.timer where run_id = $1 and fire_at <= clock_timestamp() returning round, state, member, fire_at`,
);

// The rows are not locked: who fires a timer locks its run and takes the timer under that lock.
// Of a volatile function an index knows nothing: the clock is asked once, by a subquery, or each pass would read all timers that are not due yet.
const RUNS_WITH_DUE_TIMERS = statement(
  'runs_with_due_timers',
  `select t.run_id as id from pawl.timer t join pawl.run r on r.id = t.run_id
   where t.fire_at <= (select clock_timestamp()) and r.status in ('awaited', 'running', 'waiting') and (r.workflow, r.version) in (select * from unnest($1::text[], $2::int[]))
   order by t.fire_at limit $3`,
);

/** Stops, moves and starts timers of a run whose row this transaction has locked. */
export async function changeTimers(
  tx: Transaction,
  run: Pick<Run, 'id' | 'round'>,
  { keep, cancel, start }: TimerChanges,
): Promise<void> {
  if (keep !== 'all') await tx.query(STOP_TIMERS, [run.id, keep === 'none']);
  if (cancel.length > 0) await tx.query(CANCEL_TIMERS, [run.id, JSON.stringify(cancel)]);
  if (start.length > 0) await tx.query(START_TIMERS, [run.id, run.round, JSON.stringify(start)]);
}

/** Journals that a timer could not start, and asks for a person: one revision. */
export async function recordFailedTimer(
  tx: Transaction,
  runId: string,
  { member, detail }: { readonly member: string; readonly detail: string },
): Promise<void> {
  await tx.query(RECORD_FAILED_TIMER, [runId, member, detail]);
}

/** Takes the timers of a locked run whose instant has come; they are decided in the same transaction. */
export async function takeDueTimers(tx: Transaction, runId: string): Promise<DueTimer[]> {
  const rows = await tx.query<{ round: number; state: string; member: string; fire_at: Date }>(
    TAKE_DUE_TIMERS,
    [runId],
  );
  return rows.map(({ round, state, member, fire_at: fireAt }) => ({ round, state, member, fireAt }));
}

/** Ids of runs that have a due timer and whose version this process has, longest overdue first. */
export async function runsWithDueTimers(
  tx: Transaction,
  known: readonly { readonly workflow: string; readonly version: number }[],
  limit: number,
): Promise<string[]> {
  const values = [known.map(({ workflow }) => workflow), known.map(({ version }) => version), limit];
  const rows = await tx.query<{ id: string }>(RUNS_WITH_DUE_TIMERS, values);
  return [...new Set(rows.map(({ id }) => id))];
}
