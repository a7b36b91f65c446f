import { until } from '@pawl/testing';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { BatchSent, batchWorkflow, ITEM_EFFECTS } from './items-workflow.js';

const COUNT = 10_000;

describe('A step has ten thousand items', () => {
  const sizes = new Set<number>();
  const Batch = batchWorkflow({
    noteEvery: 20,
    hooks: {
      book: async ({ tx, runId, index }) => {
        if (index % 500 !== 1) return;
        const [head] = await tx.query<{ size: number }[]>(
          `select pg_column_size(s.*)::int as size from pawl.step s where run_id = $1 and name = 'book' and item = -1`,
          [runId],
        );
        sizes.add(head?.size ?? 0);
      },
    },
  });
  let stage: EngineStage;
  beforeAll(async () => {
    stage = await startEngine({ workflows: [new Batch()], schema: ITEM_EFFECTS });
  });
  afterAll(async () => stage.stop());

  it('each is done once, and neither the row of the run nor that of the step grows', async () => {
    const sizeOfRun = async () =>
      (await stage.rows<{ size: number }>('select pg_column_size(r.*)::int as size from pawl.run r'))[0]
        ?.size;
    await stage.client.start(Batch, 'many', new BatchSent(Array.from({ length: COUNT }, () => 'n')));
    const before = await sizeOfRun();
    await until(async () => (await stage.client.runOf(Batch, 'many'))?.status === 'completed', {
      timeoutMs: 60_000,
    });
    const [counted] = await stage.rows(
      `select count(*)::int as effects, count(distinct item)::int as items from app.effect where step = 'book'`,
    );
    expect(counted).toEqual({ effects: COUNT / 20, items: COUNT / 20 });
    expect(
      await stage.rows(`select status, count(*)::int as n from pawl.step where item >= 0 group by status`),
    ).toEqual([{ status: 'done', n: COUNT }]);
    // A few ranges while some are at work; one in the end.
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(300);
    expect(
      await stage.rows(`select items_done::text as done from pawl.step where item = -1 and name = 'book'`),
    ).toEqual([{ done: `{[0,${COUNT})}` }]);
    expect(Math.abs(((await sizeOfRun()) ?? 0) - (before ?? 0))).toBeLessThan(100);
    await expectSound(stage);
  }, 90_000);
});
