import { statement, type Transaction } from '@pawl/core';
import { type Definition, EVERY_STATE } from '../model/definition.js';
import { hasEnded } from '../machine/position.js';
import type { DueTimer } from '../model/event.js';
import type { Run } from '../model/run.js';

const STOP_TIMERS = statement(
  'stop_timers',
  `delete from pawl.timer where run_id = $1 and (state <> '${EVERY_STATE}' or $2)`,
);

const START_TIMERS = statement(
  'start_timers',
  `insert into pawl.timer (run_id, round, state, member, fire_at)
   select $1, $2, t.state, t.member, coalesce(t.at, clock_timestamp() + make_interval(secs => t."afterMs" / 1000.0))
   from jsonb_to_recordset($3::jsonb) as t (state text, member text, "afterMs" double precision, at timestamptz)`,
);

const TAKE_DUE_TIMERS = statement(
  'take_due_timers',
  `delete from pawl.timer where run_id = $1 and fire_at <= clock_timestamp() returning round, state, member, fire_at`,
);

// The rows are not locked: who fires a timer locks its run and takes the timer under that lock.
const RUNS_WITH_DUE_TIMERS = statement(
  'runs_with_due_timers',
  `select t.run_id as id from pawl.timer t join pawl.run r on r.id = t.run_id
   where t.fire_at <= clock_timestamp() and r.status in ('awaited', 'running', 'waiting') and (r.workflow, r.version) in (select * from unnest($1::text[], $2::int[]))
   order by t.fire_at limit $3`,
);

/**
 * Stops the timers of the position that was left and starts those of the one entered; the deadlines of the run begin with its first state and go
 * with its end.
 */
export async function restartTimers(
  tx: Transaction,
  run: Run,
  definition: Definition,
  { started }: { readonly started: boolean },
): Promise<void> {
  if (definition.timeouts.length === 0) return;
  const ended = hasEnded(run);
  if (!started) await tx.query(STOP_TIMERS, [run.id, ended]);
  const timeouts = definition.timeouts.filter(
    (timeout) => !ended && (timeout.in === run.state || (started && timeout.in === EVERY_STATE)),
  );
  if (timeouts.length === 0) return;
  const rows = timeouts.map(({ member, in: state, afterMs, at }) => ({
    member,
    state,
    afterMs,
    at: at?.(run.data),
  }));
  await tx.query(START_TIMERS, [run.id, run.round, JSON.stringify(rows)]);
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
