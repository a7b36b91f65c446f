import { StartConflictError } from '@pawl/workflow';
import type { EntityManager } from 'typeorm';
import { expectSound, orderIn, verdictsOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Accepted, EFFECTS, ItemAdded, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('A caller has a transaction of its own', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key });
    // Nobody looks by itself: whatever goes on does so by the hint after the caller's commit.
    stage = await startEngine({
      workflows: [workflow],
      schema: EFFECTS,
      options: { rescueEveryMs: 3_600_000 },
    });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const note = async (manager: EntityManager, key: string) =>
    manager.query(`insert into app.effect (key, step) values ($1, 'of the caller')`, [key]);
  const start = async (manager: EntityManager, key: string, customer = 'Ada') =>
    stage.client.start(SmallOrderWorkflow, key, new Submitted(customer), { manager });
  const deliverIn = async (manager: EntityManager, key: string, event: object) =>
    stage.client.deliverIn(manager, SmallOrderWorkflow, key, event);
  const found = async (key: string) => [
    (await stage.client.runOf(SmallOrderWorkflow, key)) !== undefined,
    (await stage.rows('select 1 from app.effect where key = $1', [key])).length > 0,
    (await stage.rows('select 1 from pawl.parked_event where key = $1', [key])).length > 0,
  ];
  const failing = async (work: (manager: EntityManager) => Promise<unknown>) => {
    const rolledBack = stage.dataSource.transaction(async (manager) => {
      await work(manager);
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
  };

  it('a start commits with it, and the run goes on', async () => {
    await stage.dataSource.transaction(async (manager) => {
      expect(await start(manager, 'start')).toMatchObject({ created: true });
      await note(manager, 'start');
      await deliverIn(manager, 'start', new Accepted(0));
      expect(await found('start')).toEqual([false, false, false]);
    });
    expect(
      (await stage.rows(`select 1 from app.effect where key = 'start' and step = 'of the caller'`)).length,
    ).toBe(1);
    await orderIn(stage, 'start', 'AwaitingShipment');
  });

  it('a start and an event are gone with it', async () => {
    await failing(async (manager) => {
      await start(manager, 'rolled back');
      await note(manager, 'rolled back');
      await deliverIn(manager, 'rolled back', new ItemAdded(0, 'tea'));
    });
    expect(await found('rolled back')).toEqual([false, false, false]);
  });

  it('an event is decided right after its commit, and not at all without', async () => {
    await stage.client.start(SmallOrderWorkflow, 'event', new Submitted('Ada'));
    await failing((manager) => deliverIn(manager, 'event', new ItemAdded(1, 'milk')));
    await stage.dataSource.transaction((manager) => deliverIn(manager, 'event', new Accepted(0)));
    await orderIn(stage, 'event', 'AwaitingShipment');
    expect((await verdictsOf(stage, 'event')).slice(0, 2)).toEqual([
      'small.submitted applied started',
      'small.accepted applied accepted',
    ]);
  });

  it('a start whose events came before is decided right after its commit', async () => {
    await stage.client.deliver(SmallOrderWorkflow, 'awaited', new Accepted(0));
    await stage.dataSource.transaction(async (manager) => {
      expect(await start(manager, 'awaited')).toMatchObject({ created: true });
    });
    await orderIn(stage, 'awaited', 'AwaitingShipment');
  });

  it('a start that is there already answers its run, or that it conflicts', async () => {
    const { runId } = await stage.client.start(SmallOrderWorkflow, 'again', new Submitted('Ada'));
    await stage.dataSource.transaction(async (manager) => {
      expect(await start(manager, 'again')).toEqual({ runId, created: false });
      await expect(start(manager, 'again', 'Bob')).rejects.toThrow(StartConflictError);
    });
  });

  it('a manager without one is refused, and the error says what to do', async () => {
    const { manager } = stage.dataSource;
    await expect(start(manager, 'none')).rejects.toMatchObject({ code: 'not_in_transaction' });
    const delivering = deliverIn(manager, 'none', new ItemAdded(0, 'tea'));
    await expect(delivering).rejects.toThrow('use `dataSource.transaction((manager) => ...)`');
    expect(await found('none')).toEqual([false, false, false]);
  });
});
