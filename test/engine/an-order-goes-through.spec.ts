import { until } from '@pawl/testing';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Accepted, EFFECTS, ItemAdded, Shipped, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('An order goes through', () => {
  let stage: EngineStage;
  const charges: string[] = [];

  beforeAll(async () => {
    const gateway = {
      charge: async (key: string) => {
        charges.push(key);
        return `receipt-${key}`;
      },
    };
    stage = await startEngine({ workflows: [new SmallOrderWorkflow(gateway)], schema: EFFECTS });
  });
  afterAll(async () => stage.stop());

  const statusOf = async (key: string) => (await stage.client.runOf(SmallOrderWorkflow, key))?.state;

  it('runs each step once and ends in its final state', async () => {
    await stage.client.start(SmallOrderWorkflow, 'one', new Submitted('Ada'));
    await stage.client.deliver(SmallOrderWorkflow, 'one', new ItemAdded(0, 'tea'));
    await stage.client.deliver(SmallOrderWorkflow, 'one', new Accepted(1));
    await until(async () => (await statusOf('one')) === 'AwaitingShipment');
    const receipt = await stage.client.deliver(SmallOrderWorkflow, 'one', new Shipped('T-1'));
    expect(receipt).toMatchObject({ verdict: 'applied', state: 'Shipped', status: 'completed' });
    const effects = await stage.rows(`select step from app.effect where key = 'one' order by id`);
    expect(effects).toEqual([{ step: 'reserve' }, { step: 'release' }]);
    expect(charges).toHaveLength(1);
  });

  it('takes events in any order, even before their run', async () => {
    const deliver = async (event: object) =>
      (await stage.client.deliver(SmallOrderWorkflow, 'two', event)).rule;
    expect(await deliver(new Shipped('T-2'))).toBe('run-not-started');
    expect(await deliver(new Accepted(2))).toBe('run-not-started');
    expect(await deliver(new ItemAdded(1, 'milk'))).toBe('run-not-started');
    await stage.client.start(SmallOrderWorkflow, 'two', new Submitted('Bob'));
    expect(await deliver(new ItemAdded(1, 'milk'))).toBe('item-seen');
    await deliver(new ItemAdded(0, 'tea'));
    await until(async () => (await statusOf('two')) === 'Shipped');
    expect(await stage.rows(`select * from app.effect where key = 'two'`)).toHaveLength(2);
  });
});
