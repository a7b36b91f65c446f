import { PostgresProxy, until } from '@pawl/testing';
import { PermanentError } from '@pawl/workflow';
import { expectSound, letTimePass, placeOrder } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import {
  Accepted,
  CancelRequested,
  EFFECTS,
  ItemAdded,
  Shipped,
  SmallOrderWorkflow,
  Submitted,
} from './small-order.js';

interface Pool {
  readonly totalCount: number;
  readonly idleCount: number;
}

describe('A caller waits for a run', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const charge = async (key: string): Promise<string> => {
      if (declined) throw new PermanentError('card declined');
      return key;
    };
    stage = await startEngine({ workflows: [new SmallOrderWorkflow({ charge })], schema: EFFECTS });
  });
  let declined = false;
  afterEach(async () => {
    declined = false;
    await expectSound(stage);
  });
  afterAll(async () => stage.stop());

  const order = (key: string) => ({
    start: async (options: Parameters<EngineStage['client']['startAndWait']>[3]) =>
      stage.client.startAndWait(SmallOrderWorkflow, key, new Submitted('Ada'), options),
    wait: async (options: Parameters<EngineStage['client']['waitFor']>[2]) =>
      stage.client.waitFor(SmallOrderWorkflow, key, options),
    tell: async (event: object) => stage.client.deliver(SmallOrderWorkflow, key, event),
  });

  it('from its start to its end', async () => {
    const { start, tell } = order('end');
    const waited = start({ timeout: '20s' });
    await tell(new CancelRequested('changed my mind'));
    expect(await waited).toMatchObject({
      created: true,
      reached: 'end',
      run: { key: 'end', state: 'Cancelled', status: 'completed' },
    });
    expect(await start({ timeout: '20s' })).toMatchObject({ created: false, reached: 'end' });
  });

  it('until it is in a state, which its steps bring it to', async () => {
    const waited = order('state').start({ for: ['AwaitingShipment', 'Cancelled'], timeout: '20s' });
    await placeOrder(stage, 'state');
    expect(await waited).toMatchObject({ reached: 'state', run: { state: 'AwaitingShipment' } });
  });

  it('for a state that it has been in, and left', async () => {
    await placeOrder(stage, 'left');
    await order('left').wait({ for: 'AwaitingShipment', timeout: '20s' });
    await order('left').tell(new Shipped('T-1'));
    for (const state of ['Accepted', 'AwaitingShipment'])
      expect(await order('left').wait({ for: state, timeout: 0 })).toMatchObject({ reached: 'state' });
  });

  it('for a state that it can not come to any more', async () => {
    const { start, tell, wait } = order('missed');
    await start({ timeout: 0 });
    await tell(new CancelRequested('changed my mind'));
    expect(await wait({ for: 'Shipped', timeout: '20s' })).toMatchObject({ reached: 'end' });
    await placeOrder(stage, 'beyond');
    const beyond = await order('beyond').wait({ for: 'Cancelled', timeout: '20s' });
    expect(beyond).toMatchObject({ reached: 'missed', run: { state: 'AwaitingShipment' } });
  });

  it('that needs a person', async () => {
    declined = true;
    await placeOrder(stage, 'declined');
    expect(await order('declined').wait({ timeout: '20s' })).toMatchObject({
      reached: 'attention',
      run: { status: 'failed', attention: expect.stringContaining('card declined') },
    });
  });

  it('for longer than it wants to: that is an answer, and the run goes on', async () => {
    const { start, tell, wait } = order('slow');
    expect(await start({ timeout: 30 })).toMatchObject({
      reached: 'timed-out',
      run: { state: 'Submitted', status: 'waiting' },
    });
    await tell(new ItemAdded(0, 'tea'));
    await tell(new Accepted(1));
    expect(await wait({ for: 'AwaitingShipment', timeout: '20s' })).toMatchObject({ reached: 'state' });
  });

  it('and gives up: the run goes on', async () => {
    const giveUp = new AbortController();
    const waited = order('aborted').start({ timeout: '20s', signal: giveUp.signal });
    giveUp.abort(new Error('the customer has hung up'));
    await expect(waited).rejects.toThrow('the customer has hung up');
    await letTimePass(stage, 'aborted');
    expect(await order('aborted').wait({ timeout: '20s' })).toMatchObject({ run: { state: 'Cancelled' } });
  });

  it('while the database is away for a moment: it waits on', async () => {
    const proxy = await PostgresProxy.start(stage.url);
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    const remote = await startEngine({
      workflows: [workflow],
      url: proxy.url(stage.url),
      options: { work: false },
    });
    await order('away').start({ timeout: 0 });
    const waited = remote.client.waitFor(SmallOrderWorkflow, 'away', { timeout: '20s' });
    proxy.blackhole();
    const { master: pool } = remote.dataSource.driver as unknown as { master: Pool };
    await until(() => pool.totalCount > pool.idleCount, { what: 'a look that is not answered' });
    proxy.reset();
    proxy.pass();
    await order('away').tell(new CancelRequested('changed my mind'));
    try {
      expect(await waited).toMatchObject({ reached: 'end', run: { state: 'Cancelled' } });
    } finally {
      await remote.stop();
      await proxy.close();
    }
  });

  it.each([
    ['that nobody has started', {}, 'run_not_found'],
    ['for a state that there is not', { for: 'Shiped' }, 'state_unknown'],
    ['for nothing', { for: [] }, 'state_unknown'],
    ['for less than no time', { timeout: -1 }, 'invalid_timeout'],
  ])('%s: it is an error', async (_, options, code) => {
    await expect(order('nobody').wait({ timeout: '1s', ...options })).rejects.toMatchObject({ code });
  });
});
