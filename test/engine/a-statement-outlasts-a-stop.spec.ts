import { until } from '@pawl/testing';
import { placeOrder } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { EFFECTS, SmallOrderWorkflow } from './small-order.js';

const LOCK = 42;

describe('A statement outlasts a stop', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key }, async ({ tx }) => {
      await tx.query('select pg_advisory_xact_lock($1)', [LOCK]);
    });
    stage = await startEngine({
      workflows: [workflow],
      schema: EFFECTS,
      // The rescuer waits for the one slot.
      options: { drainMs: 100, concurrency: 1, rescueEveryMs: 1 },
      limits: { lockTimeoutMs: 60_000 },
    });
  });
  afterAll(async () => stage.stop());

  it('which ends all the same: nobody waits for more than its bound', async () => {
    const holder = stage.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query('select pg_advisory_xact_lock($1)', [LOCK]);
    await placeOrder(stage, 'one');
    const waits = `select 1 from pg_locks where locktype = 'advisory' and not granted`;
    await until(async () => (await stage.rows(waits)).length > 0);
    // The statement goes on until the lock is given back, which is after the stop.
    await stage.runtime.stop();
    await holder.rollbackTransaction();
    await holder.release();
  });
});
