import { PermanentError } from '@pawl/workflow';
import { expectSound, orderFailed, placeOrder, verdictsOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, Shipped, SmallOrderWorkflow } from './small-order.js';

describe('A run fails while events wait with it', () => {
  let stage: EngineStage;
  const charging = new Barrier();

  beforeAll(async () => {
    const charge = async (): Promise<string> => {
      await charging.stop();
      throw new PermanentError('card declined');
    };
    stage = await startEngine({ workflows: [new SmallOrderWorkflow({ charge })], schema: EFFECTS });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  it('they go on waiting: a person may redrive it', async () => {
    await placeOrder(stage, 'one');
    const goOn = await charging.arrival();
    expect(await stage.client.deliver(SmallOrderWorkflow, 'one', new Shipped('T-1'))).toMatchObject({
      verdict: 'early',
    });
    goOn();
    expect(await orderFailed(stage, 'one')).toMatchObject({
      parkedCount: 1,
      attention: 'step charge failed: card declined',
    });
    expect((await verdictsOf(stage, 'one')).slice(3)).toEqual([
      'small.shipped early state-not-reached',
      'charge',
    ]);
    expect(await stage.rows('select run_key, type, reason from pawl.loss')).toEqual([]);
  });
});
