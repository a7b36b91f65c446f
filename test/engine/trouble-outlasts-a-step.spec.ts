import { until } from '@pawl/testing';
import { effectsOf, expectSound, orderIn, placeOrder, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, SmallOrderWorkflow } from './small-order.js';

describe('Trouble outlasts a step', () => {
  let stage: EngineStage;
  const [reserving, charging] = [new Barrier(), new Barrier()];
  const charged: string[] = [];

  beforeAll(async () => {
    const charge = async (key: string): Promise<string> => {
      charged.push(key);
      await charging.stop();
      return key;
    };
    const workflow = new SmallOrderWorkflow({ charge }, () => reserving.stop());
    stage = await startEngine({
      workflows: [workflow],
      schema: EFFECTS,
      // Nothing is waited for but the give-back: the lease would last an hour.
      options: { leaseMs: 3_600_000, rescueEveryMs: 20 },
      limits: { lockTimeoutMs: 300 },
    });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const somebodyWaits = async (): Promise<boolean> =>
    (
      await stage.rows(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
    ).length > 0;

  it('and the first tries to give its run back: it is given back in the end, long before its lease', async () => {
    await placeOrder(stage, 'one');
    const goOn = await reserving.arrival();
    const holder = stage.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`select 1 from pawl.run where key = 'one' for no key update`);
    goOn();
    // The closing statement gives up, and so does the first release.
    for (const waits of [true, false, true, false])
      await until(async () => (await somebodyWaits()) === waits);
    await holder.rollbackTransaction();
    await holder.release();
    (await reserving.arrival())();
    (await charging.arrival())();
    await orderIn(stage, 'one', 'AwaitingShipment');
    expect(await effectsOf(stage, 'one')).toEqual(['reserve', 'release']);
  });

  it('whose effect is elsewhere: what the call has answered is recorded in the end, and it is not made again', async () => {
    charged.length = 0;
    await placeOrder(stage, 'two');
    (await reserving.arrival())();
    const goOn = await charging.arrival();
    const holder = stage.dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`select 1 from pawl.run where key = 'two' for no key update`);
    goOn();
    // The first try to record it gives up, and so does the second.
    for (const waits of [true, false, true, false])
      await until(async () => (await somebodyWaits()) === waits);
    await holder.rollbackTransaction();
    await holder.release();
    await orderIn(stage, 'two', 'AwaitingShipment');
    expect(charged).toHaveLength(1);
    expect(await stepOf(stage, 'two', 'charge')).toMatchObject({ status: 'done', attempts: 1 });
  });
});
