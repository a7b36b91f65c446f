import { until } from '@pawl/testing';
import { effectsOf, expectSound, orderIn, placeOrder, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { CancelRequested, EFFECTS, SmallOrderWorkflow } from './small-order.js';

describe('An event moves the run while a step runs (D1)', () => {
  let stage: EngineStage;
  const [reserving, charging] = [new Barrier(), new Barrier()];

  beforeAll(async () => {
    const charge = async (): Promise<string> => {
      await charging.stop();
      return 'receipt';
    };
    const workflow = new SmallOrderWorkflow({ charge }, () => reserving.stop());
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const cancel = async (key: string) =>
    stage.client.deliver(SmallOrderWorkflow, key, new CancelRequested('changed my mind'));
  const activated = async (key: string): Promise<boolean> =>
    (await stage.rows(`select 1 from pawl.run where key = $1 and lease_until is not null`, [key])).length > 0;

  it('the effect of a transactional step is rolled back, and the run stays where the event has taken it', async () => {
    await placeOrder(stage, 'one');
    const goOn = await reserving.arrival();
    expect(await cancel('one')).toMatchObject({
      verdict: 'applied',
      state: 'Cancelled',
      status: 'completed',
    });
    goOn();
    await until(() => stage.runtime.worker.idle);
    expect(await orderIn(stage, 'one', 'Cancelled')).toMatchObject({ status: 'completed' });
    expect(await effectsOf(stage, 'one')).toEqual([]);
    expect(await stepOf(stage, 'one', 'reserve')).toBeUndefined();
  });

  it('the outcome of an external step is recorded with its attempt, and no further step runs', async () => {
    await placeOrder(stage, 'two');
    (await reserving.arrival())();
    const goOn = await charging.arrival();
    expect(await cancel('two')).toMatchObject({ verdict: 'applied', state: 'Cancelled' });
    goOn();
    await until(async () => (await stepOf(stage, 'two', 'charge'))?.status === 'done');
    expect(await stepOf(stage, 'two', 'charge')).toMatchObject({ attempts: 1, output: 'receipt' });
    expect(await orderIn(stage, 'two', 'Cancelled')).toMatchObject({ status: 'completed' });
    expect(await effectsOf(stage, 'two')).toEqual(['reserve']);
    expect(await activated('two')).toBe(false);
  });
});
