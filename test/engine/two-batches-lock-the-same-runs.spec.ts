import type { Transaction } from '@pawl/core';
import { expectSound, waitingForLocks } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { EFFECTS, SmallOrderWorkflow, Submitted } from './small-order.js';

const PAYLOAD = { index: 0, product: 'tea' };

describe('Two batches lock the same runs', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    const limits = { lockTimeoutMs: 20_000 };
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS, options: { work: false }, limits });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const batch = (source: string, keys: readonly string[]) => {
    let tries = 0;
    const done = stage.messaging.transactions.run(async (tx: Transaction) => {
      tries++;
      const event = {
        id: source,
        source,
        type: 'small.item-added',
        typeVersion: 1,
        payload: PAYLOAD,
        digest: 'd',
      };
      return stage.runtime.receiver.receive(
        tx,
        keys.map((key) => ({ workflow: 'small-order', key, event: { ...event, id: `${source}/${key}` } })),
      );
    });
    return done.then((receipts) => ({ tries, verdicts: receipts.map(({ verdict }) => verdict) }));
  };

  it('in one order, whatever the order of their events: they do not deadlock', async () => {
    // The first and the last are to be locked by different batches while both wait for the one between.
    for (const key of ['a', 'b', 'c'])
      await stage.client.start(SmallOrderWorkflow, key, new Submitted('Ada'));
    const between = stage.dataSource.createQueryRunner();
    await between.startTransaction();
    await between.query(`select 1 from pawl.run where key = 'b' for no key update`);
    const upwards = batch('one', ['a', 'b', 'c']);
    await waitingForLocks(stage, 1);
    const downwards = batch('other', ['c', 'b', 'a']);
    await waitingForLocks(stage, 2);
    await between.commitTransaction();
    await between.release();
    expect(await upwards).toEqual({ tries: 1, verdicts: ['applied', 'applied', 'applied'] });
    expect(await downwards).toEqual({ tries: 1, verdicts: ['duplicate', 'duplicate', 'duplicate'] });
  });
});
