import { startTestEngine, type TestEngine } from '@pawl/testing';
import {
  Approved,
  ApprovalWorkflow,
  Checked,
  Postponed,
  Rejected,
  Requested,
  Withdrawn,
} from './approval-workflow.js';
import { expectSound, verdictsOf } from './engine-checks.js';
import { ANN } from './journey-stage.js';

describe('The first of several waits wins', () => {
  let engine: TestEngine;
  let keys = 0;

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new ApprovalWorkflow()] });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine?.stop());

  const deliver = async (key: string, event: object) => engine.client.deliver(ApprovalWorkflow, key, event);
  const stateOf = async (key: string) => (await engine.client.runOf(ApprovalWorkflow, key))?.state;
  const lossesOf = async (key: string) =>
    engine.rows<{ type: string }>('select type, reason from pawl.loss where run_key = $1', [key]);
  const timersOf = async (key: string) =>
    engine.rows<{ member: string; fire_at: Date }>(
      `select t.member, t.fire_at from pawl.timer t join pawl.run r on r.id = t.run_id where r.key = $1 order by fire_at`,
      [key],
    );
  const inDays = async (days: number) => new Date((await engine.clock.now()).getTime() + days * 86_400_000);

  async function requested(dueAt?: Date): Promise<string> {
    const key = `document ${++keys}`;
    await engine.client.start(ApprovalWorkflow, key, new Requested(dueAt?.toISOString()));
    return key;
  }

  async function deciding(): Promise<string> {
    const key = await requested();
    await deliver(key, new Checked());
    return key;
  }

  it('approval before rejection: the rejection is late, and in the loss ledger', async () => {
    const key = await deciding();
    expect(await deliver(key, new Approved('Ada'))).toMatchObject({ verdict: 'applied', state: 'Approved' });
    expect(await deliver(key, new Rejected('Bob'))).toMatchObject({
      verdict: 'late',
      rule: 'never-applied',
      state: 'Approved',
    });
    expect(await lossesOf(key)).toEqual([{ type: 'approval.rejected', reason: 'never-applied' }]);
    expect(await timersOf(key)).toEqual([]);
  });

  it('rejection before approval: the other way round', async () => {
    const key = await deciding();
    await deliver(key, new Rejected('Bob'));
    await deliver(key, new Approved('Ada'));
    expect(await stateOf(key)).toBe('Rejected');
    expect(await lossesOf(key)).toEqual([{ type: 'approval.approved', reason: 'never-applied' }]);
  });

  it('both at once, from two connections: one wins, the other is late', async () => {
    const documents = await Promise.all(Array.from({ length: 10 }, deciding));
    for (const key of documents) {
      const receipts = await Promise.all([
        deliver(key, new Approved('Ada')),
        deliver(key, new Rejected('Bob')),
      ]);
      expect(receipts.map(({ verdict }) => verdict).toSorted()).toEqual(['applied', 'late']);
      expect(await lossesOf(key)).toHaveLength(1);
    }
  });

  it('time before both: they are late, and journaled behind the timer', async () => {
    const key = await deciding();
    await engine.clock.advance('7d');
    await engine.drain();
    expect(await stateOf(key)).toBe('Expired');
    await deliver(key, new Approved('Ada'));
    await deliver(key, new Approved('Ada'));
    await deliver(key, new Withdrawn());
    expect(await verdictsOf(engine, key)).toEqual([
      'approval.requested applied started',
      'approval.checked applied accepted',
      'undecided',
      'approval.approved late never-applied',
      'approval.withdrawn late never-applied',
    ]);
    expect(
      await engine.rows('select type, count::int from pawl.repeat order by type, count desc limit 1'),
    ).toEqual([{ type: 'approval.approved', count: 2 }]);
    // Declared with `late: 'ignore'`: nobody misses the withdrawal.
    expect(new Set((await lossesOf(key)).map(({ type }) => type))).toEqual(new Set(['approval.approved']));
  });

  it('time has come and nobody has fired the timer yet: an event that comes now is late', async () => {
    const key = await deciding();
    await engine.clock.advance('8d');
    expect(await stateOf(key)).toBe('Deciding');
    expect(await deliver(key, new Approved('Ada'))).toMatchObject({ verdict: 'late', state: 'Expired' });
  });

  it('an event of the very instant came in time', async () => {
    const key = await deciding();
    await engine.clock.advance('7d');
    expect(await deliver(key, new Approved('Ada'))).toMatchObject({ verdict: 'applied', state: 'Approved' });
  });

  describe('the deadline of the run', () => {
    it('starts with it, stays over moves, and beats an event that comes after it', async () => {
      const key = await deciding();
      expect((await timersOf(key)).map(({ member }) => member)).toEqual(['undecided', 'tooLong']);
      await engine.rows(`delete from pawl.timer where member = 'undecided'`);
      await engine.clock.advance('31d');
      expect(await deliver(key, new Approved('Ada'))).toMatchObject({ verdict: 'late', state: 'Expired' });
      expect(await verdictsOf(engine, key)).toContainEqual('tooLong');
      expect(await timersOf(key)).toEqual([]);
    });

    it.each([
      ['before it is applied', 29, 'Approved'],
      ['after it is late', 31, 'Expired'],
    ])('an undecided event that was stored %s, whenever it is decided', async (_, days, state) => {
      const key = await deciding();
      await engine.rows(`delete from pawl.timer where member = 'undecided'`);
      await engine.clock.advance(`${days}d`);
      await engine.dataSource.transaction((manager) =>
        engine.client.deliverIn(manager, ApprovalWorkflow, key, new Approved('Ada')),
      );
      await engine.clock.advance('10d');
      await engine.drain();
      expect(await stateOf(key)).toBe(state);
      expect(await lossesOf(key)).toHaveLength(state === 'Approved' ? 0 : 1);
    });

    it('does not pass while the run is paused: an event is folded, and no timer fires', async () => {
      const key = await requested();
      const control = engine.runtime.control.of(ApprovalWorkflow, key);
      await engine.clock.advance('29d');
      await control.pause(ANN);
      await engine.clock.advance('2d');
      await engine.drain();
      expect(await deliver(key, new Checked())).toMatchObject({ verdict: 'applied', state: 'Deciding' });
      await control.resume(ANN);
      await engine.drain();
      expect(await stateOf(key)).toBe('Deciding');
      await engine.clock.advance('1d');
      await engine.drain();
      expect(await stateOf(key)).toBe('Expired');
    });
  });

  describe('an instant that the data says', () => {
    it('is kept to the millisecond, and a later one moves it', async () => {
      const key = await requested(await inDays(2));
      const [first] = await timersOf(key);
      expect(first).toEqual({ member: 'overdue', fire_at: await inDays(2) });
      await deliver(key, new Postponed((await inDays(5)).toISOString()));
      await engine.clock.advance('3d');
      await engine.drain();
      expect(await stateOf(key)).toBe('Checking');
      await engine.clock.advance('2d');
      await engine.drain();
      expect(await stateOf(key)).toBe('Expired');
    });

    it('that is past fires at once', async () => {
      const key = await requested(await inDays(-1));
      await engine.drain();
      expect(await stateOf(key)).toBe('Expired');
    });

    it('moved by an event that was stored in time, but is decided after it: the timer follows', async () => {
      const key = await requested(await inDays(2));
      await engine.dataSource.transaction(async (manager) =>
        engine.client.deliverIn(
          manager,
          ApprovalWorkflow,
          key,
          new Postponed((await inDays(9)).toISOString()),
        ),
      );
      const postponed = await inDays(9);
      await engine.clock.advance('3d');
      await engine.drain();
      expect(await stateOf(key)).toBe('Checking');
      expect((await timersOf(key))[0]).toEqual({ member: 'overdue', fire_at: postponed });
    });

    it('that can not be read asks for a person, and the run goes on', async () => {
      const key = `document ${++keys}`;
      await engine.client.start(ApprovalWorkflow, key, new Requested('tomorrow'));
      const run = await engine.client.runOf(ApprovalWorkflow, key);
      expect(run).toMatchObject({ state: 'Checking', status: 'waiting' });
      expect(run?.attention).toContain(`handler-failed: overdue's at answered "tomorrow"`);
      expect(await verdictsOf(engine, key)).toContainEqual('overdue rejected handler-failed');
      expect((await timersOf(key)).map(({ member }) => member)).toEqual(['tooLong']);
    });
  });
});
