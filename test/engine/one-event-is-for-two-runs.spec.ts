import { until } from '@pawl/testing';
import { type EngineStage, startEngine } from './engine-stage.js';
import { EFFECTS, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('One event is for two runs', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const gateway = { charge: async () => 'receipt' };
    stage = await startEngine({ workflows: [new SmallOrderWorkflow(gateway)], schema: EFFECTS });
  });
  afterAll(async () => stage.stop());

  it('stored undecided under one id, it reaches both', async () => {
    const event = new Submitted('Ada');
    await stage.dataSource.transaction(async (manager) => {
      await stage.client.deliverIn(manager, SmallOrderWorkflow, 'one', event, { id: 'the-same' });
      await stage.client.deliverIn(manager, SmallOrderWorkflow, 'two', event, { id: 'the-same' });
    });
    for (const key of ['one', 'two']) {
      await until(async () => (await stage.client.runOf(SmallOrderWorkflow, key))?.state === 'Submitted');
    }
    expect(await stage.rows('select 1 from pawl.parked_event')).toEqual([]);
  });
});
