import { until } from '@pawl/testing';
import { effectsOf, expectSound, orderIn, verdictsOf } from './engine-checks.js';
import { type EngineStage, LocalHints, startEngine } from './engine-stage.js';
import { Accepted, EFFECTS, ItemAdded, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('An event is stored undecided', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    const options = { hintChannel: new LocalHints(true), rescueEveryMs: 100 };
    stage = await startEngine({ workflows: [workflow], schema: EFFECTS, options });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const noneUndecided = async () =>
    until(
      async () => (await stage.rows('select 1 from pawl.parked_event where run_id is null')).length === 0,
    );
  const store = async (key: string, event: object, options = {}) =>
    stage.dataSource.transaction(async (manager) =>
      stage.client.deliverIn(manager, SmallOrderWorkflow, key, event, options),
    );

  it('its run is locked and its hint lost: it is found all the same (D26)', async () => {
    await stage.client.start(SmallOrderWorkflow, 'locked', new Submitted('Ada'));
    await stage.dataSource.transaction(async (manager) => {
      await manager.query(`select 1 from pawl.run where key = 'locked' for no key update`);
      await store('locked', new Accepted(0));
    });
    await orderIn(stage, 'locked', 'AwaitingShipment');
    expect(await effectsOf(stage, 'locked')).toEqual(['reserve', 'release']);
  });

  it('events of one meaning from two sources: both are stored, one is applied (D27)', async () => {
    await stage.client.start(SmallOrderWorkflow, 'twice', new Submitted('Ada'));
    // The inner transaction must not wait for the outer one.
    await stage.dataSource.transaction(async (manager) => {
      await stage.client.deliverIn(manager, SmallOrderWorkflow, 'twice', new ItemAdded(0, 'tea'), {
        source: 'a',
      });
      await store('twice', new ItemAdded(0, 'tea'), { source: 'b' });
      await stage.client.deliverIn(manager, SmallOrderWorkflow, 'twice', new ItemAdded(1, 'milk'), {
        source: 'a',
      });
    });
    await noneUndecided();
    expect((await verdictsOf(stage, 'twice')).slice(1).sort()).toEqual([
      'small.item-added applied accepted',
      'small.item-added applied accepted',
      'small.item-added duplicate item-seen',
    ]);
  });

  it('an invalid one does not take the place of a valid one (D27)', async () => {
    await stage.client.start(SmallOrderWorkflow, 'invalid', new Submitted('Ada'));
    await store('invalid', new ItemAdded(0.5, 'half a tea'), { id: 'x', source: 'a' });
    await store('invalid', new ItemAdded(0, 'tea'), { id: 'y', source: 'a' });
    await noneUndecided();
    expect((await verdictsOf(stage, 'invalid')).slice(1)).toEqual([
      'small.item-added rejected invalid-subject',
      'small.item-added applied accepted',
    ]);
  });

  it('the same one of the same source is stored once', async () => {
    await stage.dataSource.transaction(async (manager) => {
      for (let n = 0; n < 2; n++)
        await stage.client.deliverIn(manager, SmallOrderWorkflow, 'repeated', new ItemAdded(0, 'tea'), {
          id: 'same',
        });
      const stored = await manager.query(`select event_id from pawl.parked_event where key = 'repeated'`);
      expect(stored).toEqual([{ event_id: 'same' }]);
    });
  });
});
