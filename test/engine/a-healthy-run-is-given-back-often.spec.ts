import { expectSound, orderIn, placeOrder, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, SmallOrderWorkflow } from './small-order.js';

const options = { claimsMax: 2, rescueEveryMs: 20 };

describe('A healthy run is given back often (D31)', () => {
  let stage: EngineStage;
  const engines: EngineStage[] = [];
  let failures = 0;
  const charging = new Barrier();
  const charge = async (key: string, signal: AbortSignal): Promise<string> => {
    if (failures-- > 0) throw new Error('not now');
    await charging.stop();
    signal.throwIfAborted();
    return key;
  };

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge });
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS, options: { work: false } });
  });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((one) => one.stop()));
    await expectSound(stage);
  });
  afterAll(async () => stage.stop());

  const engine = async (workflow = new SmallOrderWorkflow({ charge })): Promise<EngineStage> => {
    const one = await startEngine({ workflows: [workflow], url: stage.url, options });
    engines.push(one);
    return one;
  };
  const claims = async (key: string) =>
    stage.rows('select claims, attention from pawl.run where key = $1', [key]);

  it('by back-off: attempts that fail do not count as crashes', async () => {
    failures = 4;
    const worker = await engine();
    await placeOrder(worker, 'back-off');
    (await charging.arrival())();
    await orderIn(stage, 'back-off', 'AwaitingShipment');
    expect(await stepOf(stage, 'back-off', 'charge')).toMatchObject({ attempts: 5, status: 'done' });
    expect(await claims('back-off')).toEqual([{ claims: 0, attention: null }]);
  });

  it('by deploys: a run that is handed back in good order has spent neither a claim nor an attempt', async () => {
    failures = 0;
    await placeOrder(stage, 'deploys');
    for (let deploy = 0; deploy < 3; deploy++) {
      const worker = await engine();
      const goOn = await charging.arrival();
      await worker.runtime.stop();
      goOn();
      expect(await claims('deploys')).toEqual([{ claims: 0, attention: null }]);
      expect(await stepOf(stage, 'deploys', 'charge')).toMatchObject({ attempts: 0 });
    }
    await engine();
    (await charging.arrival())();
    await orderIn(stage, 'deploys', 'AwaitingShipment');
  });

  it('because a connection was lost: that is not its fault', async () => {
    let lost = 0;
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key }, async ({ tx }) => {
      if (lost++ < 1) await tx.query('select pg_terminate_backend(pg_backend_pid())');
    });
    const worker = await engine(workflow);
    await placeOrder(worker, 'lost');
    await orderIn(stage, 'lost', 'AwaitingShipment');
    expect(lost).toBe(2);
    expect(await stage.rows(`select claims, fencing_token::int from pawl.run where key = 'lost'`)).toEqual([
      { claims: 0, fencing_token: 2 },
    ]);
    expect(await stepOf(stage, 'lost', 'reserve')).toMatchObject({ attempts: 1, errors: [] });
  });
});
