import { effectsOf, expectSound, orderIn, placeOrder } from './engine-checks.js';
import { type EngineStage, LocalHints, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, SmallOrderWorkflow } from './small-order.js';

describe('A hint names several runs, a slow one first (D32)', () => {
  let stage: EngineStage;
  const slowly = new Barrier();

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key }, async ({ key }) => {
      if (key.startsWith('slow')) await slowly.stop();
    });
    const options = { concurrency: 2, rescueEveryMs: 3_600_000, hintChannel: new LocalHints(true) };
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS, options });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const placed = async (key: string): Promise<string> => {
    await placeOrder(stage, key);
    return (await stage.client.runOf(SmallOrderWorkflow, key))?.id ?? '';
  };
  const claimsOf = async (key: string) =>
    stage.rows('select fencing_token::int as claimed from pawl.run where key = $1', [key]);

  it('the others run beside it, and the job ends once all are claimed', async () => {
    const ids = [await placed('slow'), await placed('fast'), await placed('fast too')];
    await stage.runtime.worker.take(ids);
    const goOn = await slowly.arrival();
    await orderIn(stage, 'fast', 'AwaitingShipment');
    await orderIn(stage, 'fast too', 'AwaitingShipment');
    expect(await effectsOf(stage, 'slow')).toEqual([]);
    goOn();
    await orderIn(stage, 'slow', 'AwaitingShipment');
  });

  it('a run is claimed into a free slot only, so no lease runs while it waits', async () => {
    const ids = [await placed('slow 1'), await placed('slow 2'), await placed('waiting')];
    const taken = stage.runtime.worker.take(ids);
    const goOn = [await slowly.arrival(), await slowly.arrival()];
    expect(await claimsOf('slow 2')).toEqual([{ claimed: 1 }]);
    expect(await claimsOf('waiting')).toEqual([{ claimed: 0 }]);
    for (const one of goOn) one();
    await taken;
    await orderIn(stage, 'waiting', 'AwaitingShipment');
  });
});
