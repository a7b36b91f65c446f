import { MessageType } from '@pawl/messaging';
import { StartConflictError } from '@pawl/workflow';
import { expectSound, placeOrder, verdictsOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { EFFECTS, ItemAdded, SmallOrderWorkflow, Submitted } from './small-order.js';

@MessageType({ name: 'small.unheard-of', version: 1 })
class UnheardOf {}

describe('A run is started again', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS, options: { work: false } });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const start = async (key: string, customer: string) =>
    stage.client.start(SmallOrderWorkflow, key, new Submitted(customer));
  const runs = async (key: string) => stage.rows('select id from pawl.run where key = $1', [key]);

  it('by fifty at once with the same content: one run, one of them created it', async () => {
    const started = await Promise.all(Array.from({ length: 50 }, () => start('fifty', 'Ada')));
    expect(started.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(started.map(({ runId }) => runId)).size).toBe(1);
    expect(await runs('fifty')).toHaveLength(1);
    expect((await verdictsOf(stage, 'fifty')).filter((entry) => entry.includes('applied'))).toHaveLength(1);
  });

  it('by many at once with different content: one wins, the others are told', async () => {
    const started = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => start('many', `customer ${n}`)),
    );
    expect(started.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = started.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    for (const reason of refused) expect(reason).toBeInstanceOf(StartConflictError);
    expect(await runs('many')).toHaveLength(1);
  });

  it('with other content: a conflict, and the run is as it was', async () => {
    await start('conflict', 'Ada');
    const before = await stage.client.runOf(SmallOrderWorkflow, 'conflict');
    await expect(start('conflict', 'Bob')).rejects.toMatchObject({
      code: 'start_conflict',
      details: { key: 'conflict' },
    });
    expect(await stage.client.runOf(SmallOrderWorkflow, 'conflict')).toEqual(before);
  });

  it('long after it went on: the same run', async () => {
    await placeOrder(stage, 'went on');
    expect(await start('went on', 'Ada')).toMatchObject({ created: false });
  });

  it('by an event for a run that is there: told which one starts it', async () => {
    const starting = stage.client.start(SmallOrderWorkflow, 'no start', new ItemAdded(0, 'tea'));
    await expect(starting).rejects.toThrow(/starts no run; start it with the one whose @On says/);
  });

  it.each([new ItemAdded(0, 'tea'), new UnheardOf()])(
    'by an event that starts none: refused, and nothing is left',
    async (event) => {
      const starting = stage.client.start(SmallOrderWorkflow, 'no start', event);
      await expect(starting).rejects.toMatchObject({ code: 'start_rejected' });
      expect(await runs('no start')).toEqual([]);
    },
  );

  it('under a key that is none: refused', async () => {
    for (const key of ['', 'x'.repeat(513), 'a\0b'])
      await expect(start(key, 'Ada')).rejects.toMatchObject({ code: 'invalid_key' });
  });
});
