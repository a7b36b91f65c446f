import { expectSound, letTimePass, orderIn, verdictsOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Accepted, EFFECTS, ItemAdded, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('A parked event becomes acceptable without a transition (D4)', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const deliver = async (key: string, event: object) => stage.client.deliver(SmallOrderWorkflow, key, event);

  it.each(permutations(['start', 'item 0', 'item 1', 'accepted']))(
    'in the order %s, %s, %s, %s',
    async (...order) => {
      const key = order.join();
      const events = {
        'item 0': new ItemAdded(0, 'tea'),
        'item 1': new ItemAdded(1, 'milk'),
        accepted: new Accepted(2),
      };
      for (const name of order) {
        if (name === 'start') await stage.client.start(SmallOrderWorkflow, key, new Submitted('Ada'));
        else await deliver(key, events[name as keyof typeof events]);
      }
      await letTimePass(stage, key);
      const run = await orderIn(stage, key, 'AwaitingShipment');
      expect(run).toMatchObject({ data: { lines: { 0: 'tea', 1: 'milk' } }, parkedCount: 0 });
    },
  );

  it('is decided by the very change that it waited for', async () => {
    await stage.client.start(SmallOrderWorkflow, 'item last', new Submitted('Ada'));
    expect(await deliver('item last', new Accepted(1))).toMatchObject({
      verdict: 'early',
      rule: 'guard-not-met',
    });
    expect(await deliver('item last', new ItemAdded(0, 'tea'))).toMatchObject({
      verdict: 'applied',
      state: 'Accepted',
    });
    expect(await verdictsOf(stage, 'item last')).toEqual([
      'small.submitted applied started',
      'small.accepted early guard-not-met',
      'small.item-added applied accepted',
      'small.accepted applied accepted',
    ]);
    await orderIn(stage, 'item last', 'AwaitingShipment');
  });
});

function permutations(names: readonly string[]): string[][] {
  if (names.length < 2) return [[...names]];
  return names.flatMap((first) =>
    permutations(names.filter((name) => name !== first)).map((rest) => [first, ...rest]),
  );
}
