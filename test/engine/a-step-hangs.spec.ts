import { until } from '@pawl/testing';
import { expectSound, orderIn, placeOrder, verdictsOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, ItemAdded, Shipped, SmallOrderWorkflow } from './small-order.js';

describe('A transactional step hangs (D18)', () => {
  let stage: EngineStage;
  const reserving = new Barrier();

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key }, () => reserving.stop());
    const options = { leaseMs: 1_200, rescueEveryMs: 3_600_000 };
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS, options });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const leaseOf = async (key: string): Promise<Date | undefined> => {
    const sql = 'select lease_until from pawl.run where key = $1';
    return (await stage.rows<{ lease_until: Date }>(sql, [key]))[0]?.lease_until;
  };

  it('events for its run get their verdicts at once, and its lease is renewed', async () => {
    await placeOrder(stage, 'one');
    const goOn = await reserving.arrival();
    const lease = await leaseOf('one');
    // Whoever had to wait for the run's row would get BusyError.
    const deliver = async (event: object) => stage.client.deliver(SmallOrderWorkflow, 'one', event);
    expect(await deliver(new ItemAdded(0, 'tea'))).toMatchObject({ verdict: 'duplicate' });
    expect(await deliver(new Shipped('T-1'))).toMatchObject({ verdict: 'early' });
    await until(async () => ((await leaseOf('one')) ?? 0) > (lease ?? 0), { what: 'a renewed lease' });
    goOn();
    await orderIn(stage, 'one', 'Shipped');
    expect((await verdictsOf(stage, 'one')).slice(3)).toEqual([
      'small.item-added duplicate item-seen',
      'small.shipped early state-not-reached',
      'release',
      'small.shipped applied accepted',
    ]);
  });

  it('and the row of its run is locked by somebody else: the leases of other runs are renewed', async () => {
    for (const key of ['locked', 'other']) await placeOrder(stage, key);
    const goOn = [await reserving.arrival(), await reserving.arrival()];
    const locker = stage.dataSource.createQueryRunner();
    await locker.startTransaction();
    await locker.query(`select 1 from pawl.run where key = 'locked' for no key update`);
    const lease = await leaseOf('other');
    await until(async () => ((await leaseOf('other')) ?? 0) > (lease ?? 0), { what: 'a renewed lease' });
    await locker.rollbackTransaction();
    await locker.release();
    for (const one of goOn) one();
    await until(() => stage.runtime.worker.idle);
  });
});
