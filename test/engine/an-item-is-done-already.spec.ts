import { until } from '@pawl/testing';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { BatchSent, batchWorkflow, ITEM_EFFECTS } from './items-workflow.js';

describe('An item is done already', () => {
  const busy = new Barrier();
  let tries = 0;
  const Batch = batchWorkflow({
    concurrency: 1,
    hooks: {
      book: async ({ index }) => {
        if (index === 2 && ++tries === 1) await busy.stop();
      },
    },
  });
  let stage: EngineStage;
  beforeAll(async () => {
    stage = await startEngine({ workflows: [new Batch()], schema: ITEM_EFFECTS });
  });
  afterAll(async () => stage.stop());

  it('by another attempt: what this one did is rolled back with all that shares its transaction', async () => {
    await stage.client.start(Batch, 'one', new BatchSent(['a', 'b', 'c', 'd']));
    const goOn = await busy.arrival();
    await stage.rows(
      `update pawl.step set items_done = items_done + '{[2,3)}'::int8multirange where name = 'book' and item = -1`,
    );
    goOn();
    await until(async () => (await stage.client.runOf(Batch, 'one'))?.status === 'completed');
    expect(await stage.rows(`select item, note from app.effect where step = 'book' order by item`)).toEqual([
      { item: 0, note: 'a' },
      { item: 1, note: 'b' },
      { item: 3, note: 'd' },
    ]);
    expect(tries).toBe(1);
    await expectSound(stage);
  });
});
