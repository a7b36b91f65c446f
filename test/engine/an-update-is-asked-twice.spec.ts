import { PostgresProxy, until } from '@pawl/testing';
import { Address, ParcelWorkflow } from '../machine/parcel-workflow.js';
import { expectSound, waitingForLocks } from './engine-checks.js';
import type { EngineStage } from './engine-stage.js';
import { announce, historyOf, parcelStage } from './parcels.js';

describe('An update is asked twice', () => {
  let stage: EngineStage;
  let proxy: PostgresProxy;
  let remote: EngineStage;

  beforeAll(async () => {
    stage = await parcelStage({ options: { work: false } });
    proxy = await PostgresProxy.start(stage.url);
    remote = await parcelStage({ options: { work: false }, url: proxy.url(stage.url) });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => {
    await remote.stop();
    await proxy.close();
    await stage.stop();
  });

  const change = async (client: EngineStage['client'], key: string, to: string, id?: string) =>
    client.update(ParcelWorkflow, key, 'changeAddress', new Address(to), id === undefined ? {} : { id });
  const dataOf = async (key: string) => (await stage.client.runOf(ParcelWorkflow, key))?.data;
  const updated = ['event parcel.announced', 'update changeAddress'];

  it('under one id: it is made once, and answered twice, also when the run has ended', async () => {
    await announce(stage, 'one');
    const first = await change(stage.client, 'one', 'Bob', 'a');
    expect(first).toEqual({ from: 'Ada', addresses: 2 });
    expect(await change(stage.client, 'one', 'Bob', 'a')).toEqual(first);
    expect(await dataOf('one')).toMatchObject({ to: 'Bob', addresses: 2 });
    await stage.client.update(ParcelWorkflow, 'one', 'withdraw');
    expect(await change(stage.client, 'one', 'Bob', 'a')).toEqual(first);
    expect(await historyOf(stage, 'one')).toEqual([...updated, 'update withdraw']);
  });

  it('under one id with other input, or for something else: it is refused', async () => {
    await announce(stage, 'two');
    await change(stage.client, 'two', 'Bob', 'b');
    const others = [
      change(stage.client, 'two', 'Eve', 'b'),
      stage.client.update(ParcelWorkflow, 'two', 'withdraw', undefined, { id: 'b' }),
    ];
    for (const other of others) {
      await expect(other).rejects.toMatchObject({
        code: 'update_refused',
        details: { rule: 'conflicting-input' },
      });
    }
    expect(await dataOf('two')).toMatchObject({ to: 'Bob', addresses: 2 });
  });

  it('under two ids, or none: it is made twice', async () => {
    await announce(stage, 'three');
    for (const id of ['c', 'd', undefined]) await change(stage.client, 'three', 'Bob', id);
    expect(await dataOf('three')).toMatchObject({ addresses: 4 });
  });

  it('at the same time under one id: one makes it, the other waits and is answered the same', async () => {
    await announce(stage, 'four');
    const holder = stage.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`select 1 from pawl.run where key = 'four' for no key update`);
    const both = [change(stage.client, 'four', 'Bob', 'e'), change(stage.client, 'four', 'Bob', 'e')];
    await waitingForLocks(stage, 2);
    await holder.rollbackTransaction();
    await holder.release();
    expect(await Promise.all(both)).toEqual([
      { from: 'Ada', addresses: 2 },
      { from: 'Ada', addresses: 2 },
    ]);
    expect(await historyOf(stage, 'four')).toEqual(updated);
  });

  it('at the same time under two ids: one is made on what the other has left', async () => {
    await announce(stage, 'five');
    const all = Array.from({ length: 10 }, (_, n) => change(stage.client, 'five', `Bob ${n}`));
    const counts = (await Promise.all(all)).map(({ addresses }) => addresses);
    expect(counts.toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it.each([
    ['it was executed', true],
    ['it never came', false],
  ])(
    'by the engine itself, for the reply to its COMMIT was lost and %s: it is made once',
    async (key, arrives) => {
      await announce(stage, key);
      const commit = proxy.catchCommit('pawl_write_change');
      const answer = change(remote.client, key, 'Bob');
      await commit.caught;
      if (arrives) {
        const delivered = commit.deliver();
        commit.cutClient();
        await delivered;
      } else commit.lose();
      expect(await answer).toEqual({ from: 'Ada', addresses: 2 });
      await until(async () => (await historyOf(stage, key)).length === updated.length);
      expect(await historyOf(stage, key)).toEqual(updated);
    },
  );
});
