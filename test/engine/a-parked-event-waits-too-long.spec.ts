import { until } from '@pawl/testing';
import { expireParked } from '../../libs/workflow/src/store/parked-events.js';
import { expectSound, orderIn, waitingForLocks } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { gate } from './gate.js';
import { Accepted, EFFECTS, ItemAdded, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('A parked event waits too long', () => {
  let stage: EngineStage;
  let maintainer: EngineStage | undefined;
  const workflow = new SmallOrderWorkflow({ charge: async (key) => key });

  beforeAll(async () => {
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS, options: { work: false } });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => {
    await maintainer?.stop();
    await stage.stop();
  });

  const letters = async () =>
    stage.rows('select type, run_key, reason, resolution from pawl.dead_letter order by type, run_key');
  const parked = async () => stage.rows<{ key: string }>('select key from pawl.parked_event order by key');

  it('it becomes a dead letter and stays with its run', async () => {
    for (const key of ['one', 'two'])
      expect(await stage.client.deliver(SmallOrderWorkflow, key, new ItemAdded(0, 'tea'))).toMatchObject({
        verdict: 'early',
      });
    await stage.rows(`update pawl.parked_event set deadline = clock_timestamp() where key = 'one'`);
    // Its duties look when it starts.
    maintainer = await startEngine({ workflows: [workflow], url: stage.url });
    await until(async () => (await letters()).length > 0);
    expect(await letters()).toEqual([
      { type: 'small.item-added', run_key: 'one', reason: 'parked-deadline', resolution: null },
    ]);
    expect(await parked()).toEqual([{ key: 'one' }, { key: 'two' }]);
  });

  it('and is applied after all once its run can take it: then the dead letter is resolved', async () => {
    await maintainer?.client.start(SmallOrderWorkflow, 'one', new Submitted('Ada'));
    await maintainer?.client.deliver(SmallOrderWorkflow, 'one', new Accepted(1));
    await orderIn(stage, 'one', 'AwaitingShipment');
    expect(await letters()).toEqual([
      { type: 'small.item-added', run_key: 'one', reason: 'parked-deadline', resolution: 'decided' },
    ]);
    expect(await parked()).toEqual([{ key: 'two' }]);
  });

  it('and becomes a dead letter in the moment in which it is decided: that is resolved all the same', async () => {
    const [written, decided] = [gate(), gate()];
    await stage.client.deliver(SmallOrderWorkflow, 'three', new ItemAdded(0, 'tea'));
    await maintainer?.stop();
    maintainer = undefined;
    await stage.rows(`update pawl.parked_event set deadline = clock_timestamp() where key = 'three'`);
    const expiring = stage.messaging.transactions.run(async (tx) => {
      const expired = await expireParked(tx, 10);
      written.open();
      await decided.passed;
      return expired;
    });
    await written.passed;
    const started = stage.client.start(SmallOrderWorkflow, 'three', new Submitted('Ada'));
    await waitingForLocks(stage);
    decided.open();
    expect(await expiring).toBe(1);
    await started;
    expect(await letters()).toContainEqual({
      type: 'small.item-added',
      run_key: 'three',
      reason: 'parked-deadline',
      resolution: 'decided',
    });
  });
});
