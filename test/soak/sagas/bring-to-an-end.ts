import { type TestEngine, until } from '@pawl/testing';
import { patiently, unlessRefused } from './disturb.js';
import { BY } from './disturb.js';
import { hashOf } from './provider.js';
import { TourConfirmed, TourOfVersion1 } from './tour.js';

export const OVER = ['completed', 'compensated', 'cancelled', 'terminated'];

interface Standing {
  readonly key: string;
  readonly status: string;
  readonly state: string;
  readonly in_doubt: boolean;
  readonly quarantined: boolean;
}

const STANDING = `select r.key, r.status, r.state,
    exists (select 1 from pawl.step s where s.run_id = r.id and s.item = -1 and s.status = 'in_doubt') as in_doubt,
    r.due_at is null and r.status in ('running', 'compensating') as quarantined
  from pawl.run r where r.status <> all ($1) order by r.key`;

/** Runs that neither end nor wait for anything that will come by itself: each with what is known of it. */
const STUCK = `select r.key, r.status, r.state, r.attention, r.due_at, r.lease_until, r.claims,
    (select jsonb_agg(concat_ws(' ', s.name, s.item, s.generation, s.status) order by s.created_at) from pawl.step s where s.run_id = r.id) as steps,
    (select jsonb_agg(concat_ws(' ', t.member, t.fire_at)) from pawl.timer t where t.run_id = r.id) as timers
  from pawl.run r where r.status <> all ($1) order by r.key limit 5`;

/** With nobody in the way any more, people see to what has stopped; every run has to come to its end then. Answers those that do not. */
export async function bringToAnEnd(
  engine: Pick<TestEngine, 'client' | 'runtime' | 'rows'>,
  timeoutMs: number,
): Promise<unknown[]> {
  const all = async (): Promise<boolean> => {
    const standing = await engine.rows<Standing>(STANDING, [OVER]);
    await Promise.all(standing.map(async (run) => push(engine, run)));
    return standing.length === 0;
  };
  try {
    await until(all, { timeoutMs, everyMs: 250, what: 'the end of all runs' });
    return [];
  } catch {
    return engine.rows(STUCK, [OVER]);
  }
}

async function push(
  { client, runtime }: Pick<TestEngine, 'client' | 'runtime'>,
  { key, status, state, in_doubt, quarantined }: Standing,
): Promise<void> {
  const run = runtime.control.of(TourOfVersion1, key);
  const ask = async (order: () => Promise<unknown>): Promise<void> =>
    patiently(async () => unlessRefused(order()));
  if (status === 'paused') return ask(async () => run.resume(BY));
  const stopped = status === 'failed' || status === 'compensation_failed' || in_doubt || quarantined;
  if (stopped) return ask(async () => run.redrive(BY));
  // The others wait for their timeout.
  if (state === 'Booked' && hashOf(key) % 4 > 0)
    await patiently(async () => client.deliver(TourOfVersion1, key, new TourConfirmed()));
}
