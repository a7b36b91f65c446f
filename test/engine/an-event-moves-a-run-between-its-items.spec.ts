import { until } from '@pawl/testing';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { BatchSent, BatchWithdrawn, batchWorkflow, ITEM_EFFECTS } from './items-workflow.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

describe('An event moves a run between its items, and undoes them', () => {
  const calling = new Barrier();
  const inTransaction = new Barrier();
  const Calls = batchWorkflow({
    name: 'calls',
    effect: 'external',
    concurrency: 2,
    attempts: 1,
    hooks: {
      book: async ({ index }) => {
        if (index >= 3) await calling.stop();
        if (index === 4) throw new Error('the line is dead');
        return undefined;
      },
    },
  });
  const Writes = batchWorkflow({
    name: 'writes',
    concurrency: 1,
    hooks: {
      book: async ({ index, tx }) => {
        // Slow: it shares its transaction with no item behind it.
        await tx.query('select pg_sleep(0.06)');
        if (index === 2) await inTransaction.stop();
      },
      unbook: async ({ index, key }) => {
        if (key === 'stuck' && index === 1) throw new Error('not to be undone');
      },
    },
  });
  let stage: EngineStage;
  beforeAll(async () => {
    stage = await startEngine({ workflows: [new Calls(), new Writes()], schema: ITEM_EFFECTS });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const ended = async (Class: typeof Calls, key: string, status: string) =>
    until(async () => (await stage.client.runOf(Class, key))?.status === status, {
      what: `${key} ${status}`,
    });
  const effects = async (key: string, step: string) =>
    stage.rows<{ item: number; note: string }>(
      'select item, note from app.effect where key = $1 and step = $2 order by id',
      [key, step],
    );

  it('calls: those that have ended and those that were at work are undone once each, the others never were', async () => {
    await stage.client.start(Calls, 'calls', new BatchSent(NAMES));
    const goOn = [await calling.arrival(), await calling.arrival()];
    expect(await stage.client.deliver(Calls, 'calls', new BatchWithdrawn())).toMatchObject({
      verdict: 'applied',
    });
    for (const go of goOn) go();
    await ended(Calls, 'calls', 'compensated');
    // Two at a time, the newest first: within a pair the order is free.
    expect((await effects('calls', 'unbook')).toSorted((a, b) => b.item - a.item)).toEqual([
      { item: 4, note: 'unknown' },
      { item: 3, note: 'd booked' },
      { item: 2, note: 'c booked' },
      { item: 1, note: 'b booked' },
      { item: 0, note: 'a booked' },
    ]);
    const heads = await stage.rows(
      `select name, status, items_done::text as done from pawl.step where item = -1 and name in ('book', 'unbook') order by name`,
    );
    expect(heads).toEqual([
      { name: 'book', status: 'open', done: '{[0,3)}' },
      { name: 'unbook', status: 'done', done: '{[0,5)}' },
    ]);
  });

  it('transactions: the one at work is rolled back, those before it are undone from the highest index down', async () => {
    await stage.client.start(Writes, 'writes', new BatchSent(NAMES));
    const goOn = await inTransaction.arrival();
    await stage.client.deliver(Writes, 'writes', new BatchWithdrawn());
    goOn();
    await ended(Writes, 'writes', 'compensated');
    expect(await effects('writes', 'book')).toEqual([
      { item: 0, note: 'a' },
      { item: 1, note: 'b' },
    ]);
    expect(await effects('writes', 'unbook')).toEqual([
      { item: 1, note: 'b booked' },
      { item: 0, note: 'a booked' },
    ]);
  });

  it('one that can not be undone holds up no other, and a person is told', async () => {
    await stage.client.start(Writes, 'stuck', new BatchSent(NAMES));
    const goOn = await inTransaction.arrival();
    await stage.client.deliver(Writes, 'stuck', new BatchWithdrawn());
    goOn();
    await ended(Writes, 'stuck', 'compensation_failed');
    expect(await effects('stuck', 'unbook')).toEqual([{ item: 0, note: 'a booked' }]);
    expect((await stage.client.runOf(Writes, 'stuck'))?.attention).toBe(
      'compensation unbook failed: item 1: not to be undone',
    );
  });
});
