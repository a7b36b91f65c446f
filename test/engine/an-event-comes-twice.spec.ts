import { expectSound, verdictsOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Accepted, EFFECTS, ItemAdded, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('An event comes twice', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS, options: { work: false } });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const deliver = async (key: string, event: object) => stage.client.deliver(SmallOrderWorkflow, key, event);
  const repeats = async (key: string) =>
    stage.rows(
      `select p.type, p.subject, p.rule, p.count::int from pawl.repeat p join pawl.run r on r.id = p.run_id
       where r.key = $1 order by p.type, p.subject`,
      [key],
    );

  it('a duplicate by meaning is journaled once and then counted', async () => {
    await stage.client.start(SmallOrderWorkflow, 'one', new Submitted('Ada'));
    for (let n = 0; n < 5; n++) await deliver('one', new ItemAdded(0, 'tea'));
    await deliver('one', new ItemAdded(1, 'milk'));
    for (let n = 0; n < 3; n++) await deliver('one', new ItemAdded(1, 'milk'));
    for (let n = 0; n < 2; n++) await stage.client.start(SmallOrderWorkflow, 'one', new Submitted('Ada'));
    expect(await verdictsOf(stage, 'one')).toEqual([
      'small.submitted applied started',
      'small.item-added applied accepted',
      'small.item-added duplicate item-seen',
      'small.item-added applied accepted',
      'small.item-added duplicate item-seen',
      'small.submitted duplicate start-seen',
    ]);
    expect(await repeats('one')).toEqual([
      { type: 'small.item-added', subject: 'item:0', rule: 'item-seen', count: 4 },
      { type: 'small.item-added', subject: 'item:1', rule: 'item-seen', count: 3 },
      { type: 'small.submitted', subject: '', rule: 'start-seen', count: 2 },
    ]);
  });

  it('by twenty at once it is applied once', async () => {
    await stage.client.start(SmallOrderWorkflow, 'twenty', new Submitted('Ada'));
    const receipts = await Promise.all(
      Array.from({ length: 20 }, () => deliver('twenty', new ItemAdded(0, 'tea'))),
    );
    const verdicts = receipts.map(({ verdict }) => verdict).sort();
    expect(verdicts).toEqual(['applied', ...Array.from({ length: 19 }, () => 'duplicate')]);
  });

  it('while its first copy is parked it is a duplicate, too', async () => {
    expect(await deliver('parked', new ItemAdded(0, 'tea'))).toMatchObject({ verdict: 'early' });
    expect(await deliver('parked', new ItemAdded(0, 'tea'))).toMatchObject({
      verdict: 'duplicate',
      rule: 'already-parked',
    });
    expect(await stage.rows(`select count(*)::int as n from pawl.parked_event where key = 'parked'`)).toEqual(
      [{ n: 1 }],
    );
  });

  it('with other content it is rejected, kept for a person, and the run asks for one', async () => {
    await stage.client.start(SmallOrderWorkflow, 'conflict', new Submitted('Ada'));
    await deliver('conflict', new ItemAdded(0, 'tea'));
    expect(await deliver('conflict', new ItemAdded(0, 'milk'))).toMatchObject({
      verdict: 'rejected',
      rule: 'conflicting-content',
    });
    const run = await stage.client.runOf(SmallOrderWorkflow, 'conflict');
    expect(run).toMatchObject({
      data: { lines: { 0: 'tea' } },
      attention: expect.stringContaining('conflicting-content'),
    });
    expect(await stage.rows(`select payload from pawl.dead_letter where run_key = 'conflict'`)).toEqual([
      { payload: { index: 0, product: 'milk' } },
    ]);
  });

  it('after its state is over it is late and nothing is lost; one that never was applied is a loss', async () => {
    await stage.client.start(SmallOrderWorkflow, 'late', new Submitted('Ada'));
    await deliver('late', new ItemAdded(0, 'tea'));
    await deliver('late', new Accepted(1));
    expect(await deliver('late', new ItemAdded(0, 'tea'))).toMatchObject({ verdict: 'duplicate' });
    expect(await deliver('late', new Accepted(1))).toMatchObject({ verdict: 'late', rule: 'applied-before' });
    expect(await deliver('late', new ItemAdded(1, 'milk'))).toMatchObject({
      verdict: 'rejected',
      rule: 'index-beyond-count',
    });
    expect(await stage.rows(`select 1 from pawl.loss where run_key = 'late'`)).toEqual([]);
  });
});
