import { PostgresProxy } from '@pawl/testing';
import {
  effectsOf,
  expectSound,
  orderIn,
  placeOrder,
  stepOf,
  verdictsOf,
  waitingForLocks,
} from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { EFFECTS, ItemAdded, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('The reply to a COMMIT is lost', () => {
  let direct: EngineStage;
  let proxy: PostgresProxy;
  let worker: EngineStage;
  let reserved: string[] = [];
  let charged: string[] = [];

  beforeAll(async () => {
    const charge = async (key: string): Promise<string> => `receipt ${charged.push(key)}`;
    const workflow = new SmallOrderWorkflow({ charge }, async ({ key }) => void reserved.push(key));
    direct = await startEngine({ workflows: [workflow], schema: EFFECTS, options: { work: false } });
    proxy = await PostgresProxy.start(direct.url);
    worker = await startEngine({
      workflows: [workflow],
      url: proxy.url(direct.url),
      limits: { lockTimeoutMs: 10_000 },
    });
  });
  beforeEach(() => ([reserved, charged] = [[], []]));
  afterEach(async () => expectSound(direct));
  afterAll(async () => {
    await worker.stop();
    await proxy.close();
    await direct.stop();
  });

  it('while the old transaction is in progress: it is waited for, and the step does not run again (D2)', async () => {
    const commit = proxy.catchCommit(`'reserve'`);
    await placeOrder(worker, 'in progress');
    await commit.caught;
    commit.cutClient();
    await waitingForLocks(direct);
    await commit.deliver();
    await orderIn(direct, 'in progress', 'AwaitingShipment');
    expect(reserved).toHaveLength(1);
    expect(await effectsOf(direct, 'in progress')).toEqual(['reserve', 'release']);
  });

  it('after the server has committed: the step does not run again', async () => {
    const commit = proxy.catchCommit(`'reserve'`);
    await placeOrder(worker, 'committed');
    await commit.caught;
    const delivered = commit.deliver();
    commit.cutClient();
    await delivered;
    await orderIn(direct, 'committed', 'AwaitingShipment');
    expect(reserved).toHaveLength(1);
    expect(await effectsOf(direct, 'committed')).toEqual(['reserve', 'release']);
  });

  it('never came, and an event has written its revision: the step runs again (D3)', async () => {
    const commit = proxy.catchCommit(`'release'`);
    await placeOrder(worker, 'never came');
    await commit.caught;
    const before = await orderIn(direct, 'never came', 'Accepted');
    const event = direct.client.deliver(SmallOrderWorkflow, 'never came', new ItemAdded(0, 'tea'));
    await waitingForLocks(direct);
    commit.cutClient();
    await waitingForLocks(direct, 2);
    commit.lose();
    expect(await event).toMatchObject({ verdict: 'duplicate', state: 'Accepted' });
    const after = await orderIn(direct, 'never came', 'AwaitingShipment');
    expect(after.revision).toBe(before.revision + 2);
    expect(await effectsOf(direct, 'never came')).toEqual(['reserve', 'release']);
  });

  it('of an intent: the call is made once', async () => {
    const commit = proxy.catchCommit('pawl_record_intent');
    await placeOrder(worker, 'intent');
    await commit.caught;
    const delivered = commit.deliver();
    commit.cutClient();
    await delivered;
    await orderIn(direct, 'intent', 'AwaitingShipment');
    expect(charged).toHaveLength(1);
    expect(await stepOf(direct, 'intent', 'charge')).toMatchObject({ status: 'done', attempts: 2 });
  });

  it("of an external step's outcome: the call is not made again", async () => {
    const [reserve, commit] = [proxy.catchCommit('pawl_close_steps'), proxy.catchCommit('pawl_close_steps')];
    await placeOrder(worker, 'outcome');
    await reserve.caught;
    await reserve.deliver();
    await commit.caught;
    const delivered = commit.deliver();
    commit.cutClient();
    await delivered;
    await orderIn(direct, 'outcome', 'AwaitingShipment');
    expect(charged).toHaveLength(1);
  });

  it.each([
    ['and it was executed', true],
    ['and it never came', false],
  ])('of an event from outside, %s: it is applied once and its verdict answered', async (key, arrives) => {
    await worker.client.start(SmallOrderWorkflow, key, new Submitted('Ada'));
    const commit = proxy.catchCommit('pawl_write_change');
    const receipt = worker.client.deliver(SmallOrderWorkflow, key, new ItemAdded(0, 'tea'));
    await commit.caught;
    if (arrives) {
      const delivered = commit.deliver();
      commit.cutClient();
      await delivered;
    } else commit.lose();
    expect(await receipt).toMatchObject({ verdict: 'applied', rule: 'accepted', state: 'Submitted' });
    expect(await verdictsOf(direct, key)).toEqual([
      'small.submitted applied started',
      'small.item-added applied accepted',
    ]);
  });

  it('of an event from outside, and trouble follows: nobody says that it was not stored, and again it is applied once', async () => {
    const key = 'trouble';
    const hasty = await startEngine({
      workflows: [new SmallOrderWorkflow({ charge: async (one) => one })],
      url: proxy.url(direct.url),
      options: { work: false },
      limits: { lockTimeoutMs: 200 },
    });
    await direct.client.start(SmallOrderWorkflow, key, new Submitted('Ada'));
    const commit = proxy.catchCommit('pawl_write_change');
    const id = '01a1fdeb-8f7f-752d-9468-2e20ce993219';
    const receipt = hasty.client.deliver(SmallOrderWorkflow, key, new ItemAdded(0, 'tea'), { id });
    await commit.caught;
    const holder = direct.dataSource.createQueryRunner();
    await holder.startTransaction();
    const held = holder.query('select 1 from pawl.run where key = $1 for no key update', [key]);
    await waitingForLocks(direct);
    const refused = receipt.catch((error: unknown) => error);
    commit.lose();
    await held;
    expect(await refused).toMatchObject({ code: 'commit_unknown', cause: { code: 'busy' } });
    await holder.rollbackTransaction();
    await holder.release();
    await hasty.client.deliver(SmallOrderWorkflow, key, new ItemAdded(0, 'tea'), { id });
    await hasty.stop();
    expect(await verdictsOf(direct, key)).toEqual([
      'small.submitted applied started',
      'small.item-added applied accepted',
    ]);
  });

  it('of a start: the run is there once, and was created', async () => {
    const commit = proxy.catchCommit('pawl_write_change');
    const started = worker.client.start(SmallOrderWorkflow, 'start', new Submitted('Ada'));
    await commit.caught;
    const delivered = commit.deliver();
    commit.cutClient();
    await delivered;
    expect(await started).toMatchObject({ created: true });
    expect(await verdictsOf(direct, 'start')).toEqual(['small.submitted applied started']);
  });
});
