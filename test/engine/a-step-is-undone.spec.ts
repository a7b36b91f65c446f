import { startTestEngine, type TestEngine } from '@pawl/testing';
import { PermanentError } from '@pawl/workflow';
import { expectSound, stepOf, verdictsOf } from './engine-checks.js';
import { Barrier } from './gate.js';
import { Agency, CalledOff, Ordered, TripWorkflow } from './trip.js';

describe('A step is undone', () => {
  let engine: TestEngine;
  const agency = new Agency();

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new TripWorkflow(agency)] });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  const order = async (key: string) => engine.client.start(TripWorkflow, key, new Ordered());
  const callOff = async (key: string) => engine.client.deliver(TripWorkflow, key, new CalledOff());
  const run = async (key: string) => engine.client.runOf(TripWorkflow, key);
  /** As a process leaves a step that dies in its call. */
  const dieIn = async (key: string, name: string) =>
    engine.rows(
      `update pawl.step s set status = 'intent', in_doubt = true, output = null, finished_at = null, next_attempt_at = null,
         deadline = clock_timestamp() + interval '10 s'
       from pawl.run r where r.id = s.run_id and r.key = $1 and s.name = $2`,
      [key, name],
    );
  const told = (key: string) => [
    ['cancelCar', `car of ${key}`],
    ['cancelHotel', `hotel of ${key}`],
    ['cancelFlight', `flight of ${key}`],
  ];

  it('by an event: newest first, each told what its step returned, each under a key of its own', async () => {
    await order('event');
    await engine.drain();
    expect(await callOff('event')).toMatchObject({ verdict: 'applied', status: 'compensating' });
    await engine.drain();
    expect(await run('event')).toMatchObject({ status: 'compensated', state: 'CalledOff', attention: null });
    expect(agency.undone('event')).toEqual(told('event'));
    const keys = agency.calls.filter(({ key }) => key === 'event').map((call) => call.idempotencyKey);
    expect(new Set(keys).size).toBe(6);
    expect((await verdictsOf(engine, 'event')).slice(-5)).toEqual([
      'trip.called-off applied accepted',
      'cancelCar',
      'cancelHotel',
      'cancelFlight',
      'compensated',
    ]);
  });

  it('by a timeout', async () => {
    await order('timeout');
    await engine.drain();
    await engine.clock.advance('30d');
    await engine.drain();
    expect(await run('timeout')).toMatchObject({ status: 'compensated', state: 'CalledOff' });
    expect(agency.undone('timeout')).toEqual(told('timeout'));
  });

  it('after a later step has given up, and what had no effect is not', async () => {
    agency.does.set('car fails', async () => Promise.reject(new PermanentError('no car')));
    await order('fails');
    await engine.drain();
    expect(await run('fails')).toMatchObject({
      status: 'compensated',
      state: 'Booking',
      attention: 'step car failed: no car',
    });
    expect(agency.undone('fails')).toEqual(told('fails').slice(1));
  });

  it('also if it may have taken effect: its compensation is told that nobody knows', async () => {
    agency.does.set('flight times out', async () => new Promise(() => undefined));
    await order('times out');
    await engine.drain();
    await engine.clock.advance('1s');
    await engine.drain();
    expect(await stepOf(engine, 'times out', 'flight')).toMatchObject({ status: 'failed', attempts: 2 });
    // Both calls were told that their time is up, and do not listen.
    expect(agency.undone('times out')).toEqual([]);
    await engine.clock.advance('2s');
    await engine.drain();
    expect(agency.undone('times out')).toEqual([['cancelFlight', 'unknown']]);
    expect(await run('times out')).toMatchObject({ status: 'compensated' });
  });

  it('not before its attempt can have no effect any more, and those before it not before it', async () => {
    await order('in doubt');
    await engine.drain();
    await dieIn('in doubt', 'car');
    await callOff('in doubt');
    await engine.drain();
    expect(agency.undone('in doubt')).toEqual([]);
    await engine.clock.advance('9s');
    await engine.drain();
    expect(agency.undone('in doubt')).toEqual([]);
    await engine.clock.advance('1s');
    await engine.drain();
    expect(agency.undone('in doubt')).toEqual([['cancelCar', 'unknown'], ...told('in doubt').slice(1)]);
  });

  it('nor while an attempt before the last one may: that one has no outcome', async () => {
    agency.does.set('car earlier attempt', async () => Promise.reject(new Error('connection reset')));
    await order('earlier attempt');
    await engine.tick();
    await dieIn('earlier attempt', 'car');
    await engine.rows(`update pawl.run set due_at = clock_timestamp() where key = 'earlier attempt'`);
    await engine.drain();
    expect(await stepOf(engine, 'earlier attempt', 'car')).toMatchObject({ status: 'failed', attempts: 2 });
    expect(agency.undone('earlier attempt')).toEqual([]);
    await engine.clock.advance('10s');
    await engine.drain();
    expect(agency.undone('earlier attempt')).toHaveLength(3);
  });

  it('once its call has answered, if that was under way', async () => {
    const calling = new Barrier();
    agency.does.set('car under way', async () => {
      await calling.stop();
      return 'a car after all';
    });
    await order('under way');
    const drained = engine.drain();
    const goOn = await calling.arrival();
    await callOff('under way');
    goOn();
    await drained;
    await engine.drain();
    expect(agency.undone('under way')).toEqual([
      ['cancelCar', 'a car after all'],
      ...told('under way').slice(1),
    ]);
    expect(await run('under way')).toMatchObject({ status: 'compensated' });
  });

  it('without waiting for its deadline, if its call has failed meanwhile', async () => {
    const calling = new Barrier();
    agency.does.set('car failed meanwhile', async () => {
      await calling.stop();
      throw new Error('connection reset');
    });
    await order('failed meanwhile');
    const drained = engine.drain();
    const goOn = await calling.arrival();
    await callOff('failed meanwhile');
    goOn();
    await drained;
    await engine.drain();
    expect(agency.undone('failed meanwhile')[0]).toEqual(['cancelCar', 'unknown']);
    expect(await run('failed meanwhile')).toMatchObject({ status: 'compensated' });
    expect(await stepOf(engine, 'failed meanwhile', 'car')).toMatchObject({
      errors: [{ message: 'connection reset' }],
    });
  });

  it('but not if its call was refused meanwhile: then there is nothing to undo', async () => {
    const calling = new Barrier();
    agency.does.set('car refused meanwhile', async () => {
      await calling.stop();
      throw new PermanentError('no car');
    });
    await order('refused meanwhile');
    const drained = engine.drain();
    const goOn = await calling.arrival();
    await callOff('refused meanwhile');
    goOn();
    await drained;
    await engine.drain();
    expect(agency.undone('refused meanwhile')).toEqual(told('refused meanwhile').slice(1));
  });

  it('and nothing is where nothing was done: the run has only ended', async () => {
    agency.does.set('flight nothing', async () => Promise.reject(new PermanentError('no seat')));
    await order('nothing');
    await engine.drain();
    expect(await run('nothing')).toMatchObject({
      status: 'failed',
      attention: 'step flight failed: no seat',
    });
  });
});
