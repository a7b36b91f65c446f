import { startTestEngine, type TestEngine } from '@pawl/testing';
import { PermanentError } from '@pawl/workflow';
import { expectSound, stepOf, verdictsOf } from './engine-checks.js';
import { Agency, CalledOff, Ended, Ordered, Postponed, TripWorkflow } from './trip.js';

describe('A compensation fails', () => {
  let engine: TestEngine;
  const agency = new Agency();

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new TripWorkflow(agency)] });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  const run = async (key: string) => engine.client.runOf(TripWorkflow, key);
  const calledOff = async (key: string): Promise<void> => {
    await engine.client.start(TripWorkflow, key, new Ordered());
    await engine.drain();
    await engine.client.deliver(TripWorkflow, key, new CalledOff());
    await engine.drain();
    await engine.clock.advance('1s');
    await engine.drain();
  };

  it('and is tried again under its key', async () => {
    agency.does.set('cancelCar again', async (_, call) => {
      if (call === 1) throw new Error('try later');
    });
    await calledOff('again');
    expect(agency.of('again').slice(3)).toEqual(['cancelCar', 'cancelCar', 'cancelHotel', 'cancelFlight']);
    const tries = agency.calls.filter(({ key, what }) => key === 'again' && what === 'cancelCar');
    expect(new Set(tries.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(await run('again')).toMatchObject({ status: 'compensated', attention: null });
  });

  it('for good: the others are undone, and the run asks for a person', async () => {
    agency.does.set('cancelHotel stuck', async () => Promise.reject(new PermanentError('non-refundable')));
    await calledOff('stuck');
    expect(agency.of('stuck').slice(3)).toEqual(['cancelCar', 'cancelHotel', 'cancelFlight']);
    expect(await run('stuck')).toMatchObject({
      status: 'compensation_failed',
      undo: { scope: 'all', to: 'compensated' },
      attention: 'compensation cancelHotel failed: non-refundable',
    });
    expect(await stepOf(engine, 'stuck', 'cancelHotel')).toMatchObject({
      status: 'failed',
      errors: [{ message: 'non-refundable' }],
    });
    expect((await verdictsOf(engine, 'stuck')).slice(-4)).toEqual([
      'cancelCar',
      'cancelHotel',
      'cancelFlight',
      'compensation_failed',
    ]);
  });

  it('as often as its policy allows', async () => {
    agency.does.set('cancelCar exhausted', async () => Promise.reject(new Error('never')));
    await calledOff('exhausted');
    expect(agency.of('exhausted').slice(3)).toEqual([
      'cancelCar',
      'cancelCar',
      'cancelHotel',
      'cancelFlight',
    ]);
    expect(await run('exhausted')).toMatchObject({ status: 'compensation_failed' });
  });

  it('of what was left open: the run ends with it, not before', async () => {
    agency.does.set('car left open', async () => Promise.reject(new Error('timeout')));
    agency.does.set('cancelCar left open', async () => Promise.reject(new PermanentError('no such car')));
    await engine.client.start(TripWorkflow, 'left open', new Ordered());
    // The next attempt at the car is due in a moment.
    await engine.tick();
    await engine.client.deliver(TripWorkflow, 'left open', new Postponed());
    await engine.drain();
    expect(agency.undone('left open')).toEqual([['cancelCar', 'unknown']]);
    expect(await run('left open')).toMatchObject({ status: 'waiting', state: 'Later' });
    expect(await engine.client.deliver(TripWorkflow, 'left open', new Ended())).toMatchObject({
      status: 'compensating',
    });
    await engine.drain();
    expect(await run('left open')).toMatchObject({
      status: 'compensation_failed',
      undo: { scope: 'abandoned', to: 'completed' },
    });
  });
});
