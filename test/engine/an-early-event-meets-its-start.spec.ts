import { BusyError } from '@pawl/core';
import { expectSound, verdictsOf, waitingForLocks } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { itemAddedMessage } from './messages.js';
import { EFFECTS, ItemAdded, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('An early event meets its start', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const submitted = new Submitted('Ada');
  const item = new ItemAdded(0, 'tea');
  const linesOf = async (key: string) => (await stage.client.runOf(SmallOrderWorkflow, key))?.data;

  it('that is not committed yet: the wait is bounded, and what has come stays outside (D28)', async () => {
    const message = itemAddedMessage('start first', 0);
    await stage.dataSource.transaction(async (manager) => {
      await stage.client.start(SmallOrderWorkflow, 'start first', submitted, { manager });
      const [delivered, accepted] = await Promise.allSettled([
        stage.client.deliver(SmallOrderWorkflow, 'start first', item),
        stage.messaging.inbox.accept([message]),
      ]);
      expect(delivered).toMatchObject({ status: 'rejected', reason: expect.any(BusyError) });
      expect(accepted).toMatchObject({ value: ['open'] });
    });
    expect(await stage.messaging.inbox.accept([message])).toEqual(['closed']);
    expect(await stage.client.deliver(SmallOrderWorkflow, 'start first', item)).toMatchObject({
      rule: 'item-seen',
    });
    expect(await linesOf('start first')).toMatchObject({ lines: { 0: 'tea' } });
  });

  it('which waits for it, and takes it along (D5)', async () => {
    const started = await stage.messaging.transactions.run(async (tx) => {
      const receipt = await stage.client.deliver(SmallOrderWorkflow, 'event first', item, { tx });
      expect(receipt).toMatchObject({ verdict: 'early', rule: 'run-not-started', status: 'awaited' });
      const starting = stage.client.start(SmallOrderWorkflow, 'event first', submitted);
      await waitingForLocks(stage);
      return { starting };
    });
    expect(await started.starting).toMatchObject({ created: true });
    expect(await linesOf('event first')).toMatchObject({ customer: 'Ada', lines: { 0: 'tea' } });
    expect(await verdictsOf(stage, 'event first')).toEqual([
      'small.item-added early run-not-started',
      'small.submitted applied started',
      'small.item-added applied accepted',
    ]);
  });

  it('in whichever order they come in, side by side (D5)', async () => {
    const keys = Array.from({ length: 20 }, (_, n) => `race ${n}`);
    await Promise.all(
      keys.flatMap((key, n) => {
        const both = [
          () => stage.client.start(SmallOrderWorkflow, key, submitted),
          () => stage.client.deliver(SmallOrderWorkflow, key, item),
        ];
        return (n % 2 === 0 ? both : both.reverse()).map((one) => one());
      }),
    );
    for (const key of keys)
      expect(await linesOf(key)).toMatchObject({ customer: 'Ada', lines: { 0: 'tea' } });
  });
});
