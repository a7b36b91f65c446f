import { NoEffectError } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { Barrier } from './gate.js';
import { Departed, GivenUp, Remarked } from './journey.js';
import { ANN, JourneyStage } from './journey-stage.js';

describe('A run is paused', () => {
  let journeys: JourneyStage;
  const calling = new Barrier();

  beforeAll(async () => {
    journeys = await JourneyStage.start();
  });
  beforeEach(() => {
    journeys.bookings.calls.length = 0;
    journeys.bookings.during = async () => undefined;
  });
  afterEach(async () => expectSound(journeys.stage));
  afterAll(async () => journeys?.stage.stop());

  const stopAt = (step: string) => {
    journeys.bookings.during = async (name) => (name === step ? calling.stop() : undefined);
  };

  it('while a call is under way: what it has done is kept, events are folded, nothing is begun', async () => {
    stopAt('flight');
    await journeys.want('calling');
    const goOn = await calling.arrival();
    expect(await journeys.control('calling').pause(ANN)).toMatchObject({ status: 'paused', changed: true });
    expect(await journeys.deliver('calling', new Remarked('window seat'))).toBe('applied accepted');
    goOn();
    await journeys.in('calling', { status: 'paused' });
    expect(await journeys.steps('calling')).toEqual(['flight done']);
    expect(await journeys.run('calling')).toMatchObject({ data: { remarks: ['window seat'] } });

    journeys.bookings.during = async () => undefined;
    expect(await journeys.control('calling').resume(ANN)).toMatchObject({ status: 'running', changed: true });
    await journeys.in('calling', { state: 'Booked', status: 'waiting' });
    expect(journeys.bookings.calls).toEqual(['flight', 'hotel']);
    expect(await journeys.control('calling').resume(ANN)).toMatchObject({ changed: false });
  });

  it('while a call is under way that moves it: it is in its next state, and stays paused', async () => {
    stopAt('hotel');
    await journeys.want('moving');
    const goOn = await calling.arrival();
    await journeys.control('moving').pause(ANN);
    goOn();
    expect(await journeys.in('moving', { state: 'Booked' })).toMatchObject({ status: 'paused' });
    await journeys.control('moving').resume(ANN);
    expect(await journeys.run('moving')).toMatchObject({ state: 'Booked', status: 'waiting' });
  });

  it('while a call is under way that fails: its attempt is spent, and the next waits until the run goes on', async () => {
    journeys.bookings.during = async () => {
      await calling.stop();
      throw new NoEffectError('no answer');
    };
    await journeys.want('failing');
    const goOn = await calling.arrival();
    await journeys.control('failing').pause(ANN);
    goOn();
    await journeys.in('failing', { status: 'paused' });
    expect(await journeys.steps('failing')).toEqual(['flight retrying']);
    expect(journeys.bookings.calls).toEqual(['flight']);
    journeys.bookings.during = async () => undefined;
    await journeys.control('failing').resume(ANN);
    await journeys.in('failing', { state: 'Booked' });
    expect(journeys.bookings.calls).toEqual(['flight', 'flight', 'hotel']);
  });

  it('while a transactional step runs: that is rolled back, and done once the run goes on', async () => {
    stopAt('checkIn');
    await journeys.book('checking in');
    await journeys.deliver('checking in', new Departed());
    const goOn = await calling.arrival();
    await journeys.control('checking in').pause(ANN);
    goOn();
    await journeys.in('checking in', { status: 'paused' });
    expect(await journeys.steps('checking in')).toEqual(['flight done', 'hotel done']);
    journeys.bookings.during = async () => undefined;
    await journeys.control('checking in').resume(ANN);
    await journeys.in('checking in', { state: 'Travelling', status: 'waiting' });
    expect(await journeys.steps('checking in')).toEqual(['flight done', 'hotel done', 'checkIn done']);
  });

  it('while it is undone: no further compensation is begun, no event is taken, and resuming goes on with it', async () => {
    await journeys.book('undone');
    stopAt('cancelHotel');
    await journeys.control('undone').cancel(ANN);
    const goOn = await calling.arrival();
    await journeys.control('undone').pause(ANN);
    expect(await journeys.deliver('undone', new Departed())).toBe('late never-applied');
    goOn();
    await journeys.in('undone', { status: 'paused' });
    expect(journeys.bookings.calls).toEqual(['flight', 'hotel', 'cancelHotel']);
    await journeys.control('undone').resume(ANN);
    await journeys.in('undone', { status: 'cancelled' });
    expect(journeys.bookings.calls).toEqual(['flight', 'hotel', 'cancelHotel', 'cancelFlight']);
  });

  it('no timer fires meanwhile, and resuming moves it by the time that the run was paused', async () => {
    const runId = await journeys.book('for hours');
    await journeys.control('for hours').pause(ANN);
    // Three hours later.
    await journeys.stage.rows(
      `update pawl.run set paused_at = paused_at - interval '3 hours' where id = $1`,
      [runId],
    );
    const earlier = `set fire_at = fire_at - interval '3 hours', started_at = started_at - interval '3 hours'`;
    await journeys.stage.rows(`update pawl.timer ${earlier} where run_id = $1`, [runId]);
    const { transactions } = journeys.stage.messaging;
    await transactions.run((tx) => journeys.stage.runtime.receiver.fireTimers(tx, runId));
    expect(await journeys.run('for hours')).toMatchObject({ status: 'paused', state: 'Booked' });

    await journeys.control('for hours').resume(ANN);
    await transactions.run((tx) => journeys.stage.runtime.receiver.fireTimers(tx, runId));
    expect(await journeys.run('for hours')).toMatchObject({ status: 'waiting', state: 'Booked' });
    const [timer] = await journeys.stage.rows<{ later: boolean }>(
      `select fire_at > clock_timestamp() + interval '1 hour' and fire_at <= clock_timestamp() + interval '2 hours' as later
       from pawl.timer where run_id = $1`,
      [runId],
    );
    expect(timer).toEqual({ later: true });
  });

  it('a timer that was started meanwhile is moved from then on only', async () => {
    stopAt('hotel');
    const runId = await journeys.want('started meanwhile');
    const goOn = await calling.arrival();
    await journeys.control('started meanwhile').pause(ANN);
    await journeys.stage.rows(
      `update pawl.run set paused_at = paused_at - interval '3 hours' where id = $1`,
      [runId],
    );
    goOn();
    await journeys.in('started meanwhile', { state: 'Booked' });
    await journeys.control('started meanwhile').resume(ANN);
    const [timer] = await journeys.stage.rows<{ soon: boolean }>(
      `select fire_at <= clock_timestamp() + interval '2 hours' as soon from pawl.timer where run_id = $1`,
      [runId],
    );
    expect(timer).toEqual({ soon: true });
  });

  it('and an event ends it: what it left open is undone once it is resumed', async () => {
    stopAt('flight');
    await journeys.want('given up');
    const goOn = await calling.arrival();
    await journeys.control('given up').pause(ANN);
    expect(await journeys.deliver('given up', new GivenUp())).toBe('applied accepted');
    goOn();
    await journeys.in('given up', { status: 'paused', state: 'CalledOff' });
    expect(journeys.bookings.calls).toEqual(['flight']);
    await journeys.control('given up').resume(ANN);
    await journeys.in('given up', { status: 'completed' });
    expect(journeys.bookings.calls).toEqual(['flight', 'cancelFlight']);
  });

  it('the time for all attempts at a step does not run meanwhile', async () => {
    journeys.bookings.during = async () => {
      await calling.stop();
      throw new NoEffectError('no answer');
    };
    const runId = await journeys.want('with a deadline');
    const goOn = await calling.arrival();
    await journeys.control('with a deadline').pause(ANN);
    goOn();
    await journeys.in('with a deadline', { status: 'paused' });
    const earlier = (column: string) => `${column} = ${column} - interval '3 hours'`;
    await journeys.stage.rows(`update pawl.run set ${earlier('paused_at')} where id = $1`, [runId]);
    const columns = ['intended_at', 'expires_at', 'next_attempt_at'].map(earlier).join(', ');
    await journeys.stage.rows(`update pawl.step set ${columns} where run_id = $1`, [runId]);
    journeys.bookings.during = async () => undefined;
    await journeys.control('with a deadline').resume(ANN);
    await journeys.in('with a deadline', { state: 'Booked' });
  });

  it('and has gone on in the journal, in order', async () => {
    expect(await journeys.journaled('undone')).toEqual([
      'cancel by ann: the customer called',
      'pause by ann: the customer called',
      'resume by ann: the customer called',
    ]);
  });
});
