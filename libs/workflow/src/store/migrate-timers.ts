import { statement, type Transaction } from '@pawl/core';
import { type Definition, EVERY_STATE, type TimeoutDefinition } from '../model/definition.js';
import { instantOf } from '../machine/timers/timer-instant.js';
import { UserCodeError } from '../machine/user-code.js';
import type { Run } from '../model/run.js';

/** From when a timer counts. */
interface TimerOrigin {
  readonly name: 'state' | 'run';
  /** When the state was entered, or the run was started. Milliseconds since 1970. */
  readonly atMs: number;
  /** How long the run was paused since then, by pauses that have ended. */
  readonly pausedMs: number;
  /** Timeouts that have fired since then, by member: they do not fire again. */
  readonly fired: readonly string[];
}

const ALL_TIMERS_GO = statement(
  'all_timers_go',
  `delete from pawl.timer where run_id = $1 returning member, state`,
);

const TIMER_ORIGINS = statement(
  'timer_origins',
  `select o.name, (extract(epoch from o.at) * 1000)::float8 as "atMs",
     coalesce((
       select sum(extract(epoch from resumed.at - paused.at)) * 1000 from pawl.journal paused
       cross join lateral (
         select r.at from pawl.journal r
         where r.run_id = $1 and r.kind = 'control' and r.name = 'resume' and r.revision > paused.revision
         order by r.revision limit 1) resumed
       where paused.run_id = $1 and paused.kind = 'control' and paused.name = 'pause' and paused.revision > o.revision
     ), 0)::float8 as "pausedMs",
     array(select distinct t.name from pawl.journal t where t.run_id = $1 and t.kind = 'timer' and t.revision > o.revision) as fired
   from (
     (select 'state' as name, revision, at from pawl.journal
      where run_id = $1 and to_state = $2 and from_state is distinct from to_state order by revision desc limit 1)
     union all
     (select 'run', revision, at from pawl.journal where run_id = $1 and to_state is not null order by revision limit 1)
   ) o`,
);

// started_at: a pause that is not over yet adds to the instant from there on.
const SET_TIMERS = statement(
  'set_migrated_timers',
  `insert into pawl.timer (run_id, round, state, member, fire_at, started_at)
   select $1, $2, t.state, t.member, t."fireAt", t."startedAt"
   from jsonb_to_recordset($3::jsonb) as t (state text, member text, "fireAt" timestamptz, "startedAt" timestamptz)`,
);

/**
 * Sets the timers of a run that is of another version now, in place of those that it had. They count from when the run entered its state, if it is
 * still called the same, else from now; deadlines of the run from its start. What has fired since then does not fire again.
 * @param before the state that the run was in
 * @param at now, by the database's clock
 * @throws UserCodeError the `at` of a timeout has failed
 */
export async function migrateTimers(
  tx: Transaction,
  run: Run,
  definition: Definition,
  { before, at }: { readonly before: string | null; readonly at: Date },
): Promise<void> {
  const running = await tx.query<TimerName>(ALL_TIMERS_GO, [run.id]);
  const timeouts = definition.timeouts.filter(
    ({ in: state }) => state === run.state || state === EVERY_STATE,
  );
  if (timeouts.length === 0) return;
  const origins = await tx.query<TimerOrigin>(TIMER_ORIGINS, [run.id, before]);
  const now: TimerOrigin = { name: 'state', atMs: at.getTime(), pausedMs: 0, fired: [] };
  const originOf = ({ in: state }: TimeoutDefinition): TimerOrigin => {
    if (state !== EVERY_STATE && run.state !== before) return now;
    return origins.find(({ name }) => name === (state === EVERY_STATE ? 'run' : 'state')) ?? now;
  };
  const rows = timeouts.flatMap((timeout) => {
    const origin = originOf(timeout);
    const ran = running.some(({ member, state }) => member === timeout.member && state === timeout.in);
    return origin.fired.includes(timeout.member) && !ran ? [] : timerFrom(timeout, origin, run);
  });
  if (rows.length > 0) await tx.query(SET_TIMERS, [run.id, run.round, JSON.stringify(rows)]);
}

interface TimerName {
  readonly member: string;
  readonly state: string;
}

function timerFrom(timeout: TimeoutDefinition, { atMs, pausedMs }: TimerOrigin, { data }: Run) {
  const { member, in: state, afterMs = 0, at } = timeout;
  const started = { member, state, startedAt: new Date(atMs) };
  if (!at) return [{ ...started, fireAt: new Date(atMs + pausedMs + afterMs) }];
  const instant = instantOf(timeout, data);
  if (instant.kind === 'failed') throw new UserCodeError(instant.detail);
  return instant.kind === 'at' ? [{ ...started, fireAt: new Date(instant.ms) }] : [];
}
