import { until } from '@pawl/testing';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { BatchSent, batchWorkflow, ITEM_EFFECTS } from './items-workflow.js';

describe('An engine stops between items', () => {
  const busy = new Barrier();
  let hangs = true;
  const hooks = {
    book: async ({ index, signal }: { readonly index: number; readonly signal: AbortSignal }) => {
      if (index !== 6 || !hangs) return undefined;
      await Promise.race([busy.stop(), new Promise((resolve) => signal.addEventListener('abort', resolve))]);
      throw new Error('cut off');
    },
  };
  const Calls = batchWorkflow({ name: 'calls', effect: 'external', concurrency: 2, attempts: 1, hooks });
  const Writes = batchWorkflow({ name: 'writes', concurrency: 1, attempts: 1, hooks });
  const workflows = () => [new Calls(), new Writes()];
  let first: EngineStage;
  beforeAll(async () => {
    first = await startEngine({ workflows: workflows(), schema: ITEM_EFFECTS });
  });

  it('another one goes on with the rest: no attempt is spent, and none is done twice', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `n${n}`);
    await first.client.start(Calls, 'calls', new BatchSent(names));
    await first.client.start(Writes, 'writes', new BatchSent(names));
    await busy.arrival();
    await busy.arrival();
    await first.runtime.stop();
    hangs = false;
    const second = await startEngine({ workflows: workflows(), url: first.url });
    for (const [Class, key] of [
      [Calls, 'calls'],
      [Writes, 'writes'],
    ] as const)
      await until(async () => (await second.client.runOf(Class, key))?.status === 'completed', { what: key });
    const rows = await second.rows(
      `select r.key, count(*)::int as items, max(s.attempts) as attempts, count(*) filter (where s.status = 'done')::int as done
       from pawl.step s join pawl.run r on r.id = s.run_id where s.item >= 0 group by r.key order by r.key`,
    );
    expect(rows).toEqual([
      { key: 'calls', items: 20, attempts: 1, done: 20 },
      { key: 'writes', items: 20, attempts: 1, done: 20 },
    ]);
    expect(
      await second.rows(
        `select count(*)::int as n, count(distinct item)::int as items from app.effect where step = 'book'`,
      ),
    ).toEqual([{ n: 20, items: 20 }]);
    await expectSound(second);
    await second.stop();
    await first.stop();
  });
});
