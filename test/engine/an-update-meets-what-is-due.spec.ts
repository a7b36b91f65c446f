import { Address, Announced, ParcelWorkflow, Weighed } from '../machine/parcel-workflow.js';
import { expectSound, letTimePass } from './engine-checks.js';
import type { EngineStage } from './engine-stage.js';
import { announce, historyOf, parcelStage } from './parcels.js';

describe('An update meets what is due with its run', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    stage = await parcelStage({ options: { work: false } });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const insure = async (key: string) => stage.client.update(ParcelWorkflow, key, 'insure', 500);

  it('a deadline that has passed beats it, and stays beaten', async () => {
    await announce(stage, 'deadline');
    await letTimePass(stage, 'deadline');
    await expect(insure('deadline')).rejects.toMatchObject({
      code: 'update_refused',
      details: { rule: 'run-ended', update: 'insure', key: 'deadline' },
    });
    expect(await historyOf(stage, 'deadline')).toEqual(['event parcel.announced', 'timer notBrought']);
  });

  it('an event that waited for it is applied in its transaction', async () => {
    await announce(stage, 'parked');
    const receipt = await stage.client.deliver(ParcelWorkflow, 'parked', new Weighed(5_000));
    expect(receipt).toMatchObject({ verdict: 'early', rule: 'guard-not-met' });
    await insure('parked');
    expect(await stage.client.runOf(ParcelWorkflow, 'parked')).toMatchObject({
      state: 'OnTheWay',
      parkedCount: 0,
      data: { grams: 5_000, insuredCents: 500 },
    });
    const timers = await stage.rows(
      `select member from pawl.timer t join pawl.run r on r.id = t.run_id where r.key = 'parked'`,
    );
    expect(timers).toEqual([{ member: 'lost' }]);
  });

  it('a start that nobody has decided yet is decided before it', async () => {
    await stage.client.deliver(ParcelWorkflow, 'undecided', new Weighed(5_000));
    await stage.dataSource.transaction(async (manager) =>
      stage.client.start(ParcelWorkflow, 'undecided', new Announced('Ada'), { manager }),
    );
    expect(
      await stage.client.update(ParcelWorkflow, 'undecided', 'changeAddress', new Address('Bob')),
    ).toEqual({ from: 'Ada', addresses: 2 });
  });

  it('in a transaction of Pawl that is rolled back, it was not made', async () => {
    await announce(stage, 'rolled back');
    const inVain = stage.messaging.transactions.run(async (tx) => {
      await stage.client.update(ParcelWorkflow, 'rolled back', 'insure', 500, { tx });
      throw new Error('changed my mind');
    });
    await expect(inVain).rejects.toThrow('changed my mind');
    expect(await historyOf(stage, 'rolled back')).toEqual(['event parcel.announced']);
  });
});
