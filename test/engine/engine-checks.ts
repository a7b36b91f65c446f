import { until } from '@pawl/testing';
import type { Run } from '@pawl/workflow';
import type { EngineStage } from './engine-stage.js';
import { Accepted, ItemAdded, SmallOrderWorkflow, Submitted } from './small-order.js';

/** What must hold of every run at any time: its journal has no gap, its counters say what is there, and a step is recorded once. */
export async function expectSound(stage: Pick<EngineStage, 'rows'>): Promise<void> {
  const unsound = await stage.rows(`
    select r.key, r.revision, j.entries, j.last, r.parked_count, p.parked from pawl.run r,
      lateral (select count(*) as entries, coalesce(max(revision), 0) as last from pawl.journal where run_id = r.id) j,
      lateral (select count(*) as parked from pawl.parked_event where run_id = r.id) p
    where r.revision <> j.entries or r.revision <> j.last or r.parked_count <> p.parked
      or (r.status not in ('running', 'compensating', 'waiting', 'paused') and (r.due_at is not null or r.lease_until is not null))`);
  expect(unsound).toEqual([]);
}

/** An order of one item, accepted: its steps are due. */
export async function placeOrder({ client }: Pick<EngineStage, 'client'>, key: string): Promise<void> {
  await client.start(SmallOrderWorkflow, key, new Submitted('Ada'));
  await client.deliver(SmallOrderWorkflow, key, new ItemAdded(0, 'tea'));
  await client.deliver(SmallOrderWorkflow, key, new Accepted(1));
}

/** The order under this key, once it is in the state. */
export async function orderIn(stage: EngineStage, key: string, state: string): Promise<Run> {
  return until(
    async () => {
      const run = await stage.client.runOf(SmallOrderWorkflow, key);
      return run?.state === state ? run : undefined;
    },
    { what: `order ${key} in ${state}` },
  );
}

/** The order once it has failed. */
export async function orderFailed(stage: EngineStage, key: string): Promise<Run> {
  return until(
    async () => {
      const run = await stage.client.runOf(SmallOrderWorkflow, key);
      return run?.status === 'failed' ? run : undefined;
    },
    { what: `order ${key} failed` },
  );
}

/** The steps whose effects are in the application's table, in the order in which they were written. */
export async function effectsOf(stage: EngineStage, key: string): Promise<string[]> {
  const rows = await stage.rows<{ step: string }>('select step from app.effect where key = $1 order by id', [
    key,
  ]);
  return rows.map(({ step }) => step);
}

export interface StepRow {
  readonly name: string;
  readonly status: string;
  readonly attempts: number;
  readonly output: unknown;
  readonly errors: readonly { readonly name: string; readonly message: string }[];
  readonly fencing_token: number;
  readonly attempt_id: string;
}

export async function stepOf(
  stage: Pick<EngineStage, 'rows'>,
  key: string,
  name: string,
): Promise<StepRow | undefined> {
  const [row] = await stage.rows<StepRow>(
    `select s.name, s.status, s.attempts, s.output, s.errors, s.fencing_token::int, s.attempt_id
     from pawl.step s join pawl.run r on r.id = s.run_id where r.key = $1 and s.name = $2`,
    [key, name],
  );
  return row;
}

/** The verdicts in a run's journal, `type verdict rule`, in order. */
export async function verdictsOf(stage: Pick<EngineStage, 'rows'>, key: string): Promise<string[]> {
  const rows = await stage.rows<{ entry: string }>(
    `select concat_ws(' ', j.name, j.verdict, j.rule) as entry from pawl.journal j
     join pawl.run r on r.id = j.run_id where r.key = $1 order by j.revision`,
    [key],
  );
  return rows.map(({ entry }) => entry);
}

/** Moves the lease of a run into the past: its worker counts as dead from now on, whatever it still does. */
export async function endLease(stage: EngineStage, key: string): Promise<void> {
  await stage.rows(
    `update pawl.run set lease_until = clock_timestamp() - interval '1 minute', due_at = clock_timestamp() - interval '1 minute'
     where key = $1`,
    [key],
  );
}

/** Sets the timers of a run back so that they are due, as of now or as of some milliseconds ago. */
export async function letTimePass(stage: EngineStage, key: string, { sinceMs = 0 } = {}): Promise<void> {
  await stage.rows(
    `update pawl.timer t set fire_at = clock_timestamp() - make_interval(secs => $2 / 1000.0)
     from pawl.run r where r.id = t.run_id and r.key = $1`,
    [key, sinceMs],
  );
}

/** Waits until so many sessions of the stage's database wait for a lock. */
export async function waitingForLocks(stage: EngineStage, count = 1): Promise<void> {
  const waiting = `select count(*)::int as n from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  await until(async () => ((await stage.rows<{ n: number }>(waiting))[0]?.n ?? 0) >= count, {
    what: `${count} sessions that wait for a lock`,
    everyMs: 5,
  });
}
