import { until } from '@pawl/testing';
import { effectsOf, endLease, expectSound, orderIn, placeOrder } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, SmallOrderWorkflow } from './small-order.js';

describe('A step kills its worker again and again (D21)', () => {
  let stage: EngineStage;
  let successor: EngineStage | undefined;
  const dying = new Barrier();
  const options = { claimsMax: 3, rescueEveryMs: 20 };
  const gateway = { charge: async (key: string) => key };

  beforeAll(async () => {
    // A worker whose lease has run out while its step goes on and on is as dead as one can be within a process.
    const workflow = new SmallOrderWorkflow(gateway, async ({ key }) => {
      if (key === 'poison') await dying.stop();
    });
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS, options });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => {
    await successor?.stop();
    await stage.stop();
  });

  const poison = async () => {
    const sql = `select status, claims, attention, due_at from pawl.run where key = 'poison'`;
    const [row] = await stage.rows<{
      status: string;
      claims: number;
      attention: string | null;
      due_at: Date | null;
    }>(sql);
    return row;
  };

  it('its claims are counted, it is quarantined, and other runs go on', async () => {
    await placeOrder(stage, 'poison');
    const zombies: (() => void)[] = [];
    for (const claims of [1, 2, 3]) {
      zombies.push(await dying.arrival());
      expect(await poison()).toMatchObject({ claims, attention: null });
      await endLease(stage, 'poison');
    }
    await placeOrder(stage, 'healthy');
    await orderIn(stage, 'healthy', 'AwaitingShipment');
    successor = await startEngine({ workflows: [new SmallOrderWorkflow(gateway)], url: stage.url, options });
    await until(async () => (await poison())?.attention, { what: 'quarantine' });
    expect(await poison()).toEqual({
      status: 'running',
      claims: 3,
      attention: 'quarantined: 3 claims without progress',
      due_at: null,
    });
    for (const goOn of zombies) goOn();
    await until(() => stage.runtime.worker.idle);
    expect(await effectsOf(stage, 'poison')).toEqual([]);
  });
});
