import { statement, type Transaction } from '@pawl/core';
import type { ControlChange, StepOrder } from '../machine/control/control-order.js';
import type { Run } from '../model/run.js';
import { ENDED } from './run-row.js';
import type { Written } from './write-change.js';

// The row is locked by this transaction. As in every write that is no worker's, due_at is left to whoever has the run: it is the end of the lease
// then, and the worker finds the change when it closes or releases. A paused run keeps its lease, for a call may be under way. Where a step that counted
// as settled is made again, a worker may be at work behind it, on the way out of the state: its token is out of date at once.
const CONTROL_RUN = statement(
  'control_run',
  `with written as (
     update pawl.run set status = $2, state = $3, data = $4::jsonb, revision = $5, attention = $6, undo_scope = $7, undo_to = $8,
       no_return = $9, claims = 0, fencing_token = fencing_token + case when $11 then 1 else 0 end, dispatch = dispatch + 1, updated_at = clock_timestamp(),
       paused_at = case when $2 = 'paused' then coalesce(paused_at, clock_timestamp()) end,
       lease_until = case when $2 in ('running', 'compensating', 'paused') and not $11 then lease_until end,
       due_at = case when $2 not in ('running', 'compensating') then null
                     when lease_until > clock_timestamp() and not $11 then lease_until
                     else clock_timestamp() end,
       ended_at = case when $2 = any ('${ENDED}') then coalesce(ended_at, clock_timestamp()) end
     where id = $1
     returning coalesce(lease_until <= clock_timestamp(), true) and status in ('running', 'compensating') as due, dispatch::float8
   ), journaled as (
     insert into pawl.journal (run_id, revision, kind, name, detail, from_state, to_state, payload)
     select $1, j.* from written, jsonb_to_recordset($10::jsonb) as j (revision bigint, kind text, name text, detail text,
       "fromState" text, "toState" text, payload jsonb)
   )
   select due, dispatch from written`,
);

// Before the run's row forgets since when it was paused. A timer that was started meanwhile was held up from then on.
const MOVE_TIMERS = statement(
  'move_timers_of_paused_run',
  `update pawl.timer t set fire_at = t.fire_at + (clock_timestamp() - greatest(r.paused_at, t.started_at)), started_at = clock_timestamp()
   from pawl.run r where r.id = $1 and t.run_id = r.id and r.paused_at is not null`,
);

// So is the time for all attempts at a step.
const MOVE_DEADLINES = statement(
  'move_deadlines_of_paused_run',
  `update pawl.step s set expires_at = s.expires_at + (clock_timestamp() - greatest(r.paused_at, s.intended_at))
   from pawl.run r where r.id = $1 and s.run_id = r.id and s.round = r.round and s.expires_at is not null and s.finished_at is null
     and r.paused_at is not null`,
);

const RETRY_STEP = statement(
  'retry_step',
  `update pawl.step set status = 'retrying', attempts = 0, confirm_attempts = 0, in_doubt = $6, next_attempt_at = clock_timestamp(),
     expires_at = null, finished_at = null, items_failed = case when items_failed is not null then
       -- Those that are lost stay so.
       coalesce((select range_agg(int8range(l.item, l.item + 1)) from pawl.step l where l.run_id = $1 and l.round = $2 and l.name = $4
         and l.generation = $5 and l.item >= 0 and l.status = 'lost'), '{}') end
   where run_id = $1 and round = $2 and kind = $3 and name = $4 and generation = $5 and item = -1`,
);

const RETRY_ITEMS = statement(
  'retry_items',
  `update pawl.step set status = 'retrying', attempts = 0, confirm_attempts = 0, in_doubt = in_doubt and $6, next_attempt_at = clock_timestamp(),
     expires_at = null, finished_at = null
   where run_id = $1 and round = $2 and kind = $3 and name = $4 and generation = $5 and item >= 0 and status in ('failed', 'in_doubt')`,
);

// Another generation is another effect: of the one before it is known that there was none.
const RENEW_STEP = statement(
  'renew_step',
  `with before as (
     update pawl.step set in_doubt = false where run_id = $1 and round = $2 and kind = $3 and name = $4 and generation = $5 and item = -1 returning *
   )
   insert into pawl.step (run_id, round, kind, name, undoes, item, generation, status, effect, attempts, attempt_id, idempotency_key, fencing_token,
     next_attempt_at)
   select run_id, round, kind, name, undoes, item, generation + 1, 'retrying', effect, 0, gen_random_uuid(), $6, fencing_token, clock_timestamp()
   from before`,
);

const SETTLE_STEP = statement(
  'settle_step',
  `update pawl.step set status = $6, output = $7::jsonb, in_doubt = false, next_attempt_at = null, finished_at = clock_timestamp()
   where run_id = $1 and round = $2 and kind = $3 and name = $4 and generation = $5 and item = -1`,
);

/**
 * Writes what a person has done to a run whose row this transaction has locked. Its timers are the caller's, but for a pause that ends.
 * @param keyOf the idempotency key of a step in a generation
 */
export async function writeControl(
  tx: Transaction,
  change: ControlChange,
  keyOf: (name: string, generation: number) => string,
): Promise<Written> {
  const { run, journal, steps, resumed } = change;
  for (const order of steps) await writeStep(tx, run, order, keyOf);
  if (resumed) await tx.query(MOVE_TIMERS, [run.id]);
  if (resumed) await tx.query(MOVE_DEADLINES, [run.id]);
  const [row] = await tx.query<{ due: boolean; dispatch: number }>(CONTROL_RUN, [
    run.id,
    run.status,
    run.state,
    JSON.stringify(run.data),
    run.revision,
    run.attention,
    run.undo?.scope ?? null,
    run.undo?.to ?? null,
    run.noReturn,
    JSON.stringify(journal),
    steps.some(({ kind }) => kind === 'renew'),
  ]);
  return { due: row?.due ?? false, dispatch: row?.dispatch ?? 0, revision: run.revision };
}

async function writeStep(
  tx: Transaction,
  { id, round }: Run,
  order: StepOrder,
  keyOf: (name: string, generation: number) => string,
): Promise<void> {
  const { kind, name, generation, itemsTotal } = order.record;
  const at = [id, round, kind, name, generation];
  if (order.kind === 'settle') {
    await tx.query(SETTLE_STEP, [...at, order.status, JSON.stringify(order.output ?? null)]);
    return;
  }
  if (order.kind === 'renew') {
    await tx.query(RENEW_STEP, [...at, keyOf(name, generation + 1)]);
    return;
  }
  await tx.query(RETRY_STEP, [...at, order.inDoubt]);
  // Each item knows for itself whether it is in doubt; a person has spoken of those that the step waited for.
  const keepDoubt = order.inDoubt || !order.record.inDoubt;
  if (itemsTotal !== null) await tx.query(RETRY_ITEMS, [...at, keepDoubt]);
}
