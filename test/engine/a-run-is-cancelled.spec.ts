import { until } from '@pawl/testing';
import { ControlRefusedError, NoEffectError } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { Barrier } from './gate.js';
import { Departed } from './journey.js';
import { ANN, JourneyStage } from './journey-stage.js';

describe('A run is cancelled', () => {
  let journeys: JourneyStage;

  beforeAll(async () => {
    journeys = await JourneyStage.start();
  });
  beforeEach(() => {
    journeys.bookings.calls.length = 0;
    journeys.bookings.during = async () => undefined;
  });
  afterEach(async () => expectSound(journeys.stage));
  afterAll(async () => journeys?.stage.stop());

  it('while it waits: what was done is undone, newest first, and who asked is kept', async () => {
    const runId = await journeys.book('waiting');
    const answer = await journeys.control('waiting').cancel(ANN);
    expect(answer).toEqual({ runId, status: 'compensating', state: 'Booked', changed: true, left: [] });
    await journeys.in('waiting', { status: 'cancelled' });
    expect(journeys.bookings.calls).toEqual(['flight', 'hotel', 'cancelHotel', 'cancelFlight']);
    expect(await journeys.journaled('waiting')).toEqual(['cancel by ann: the customer called']);
    expect(await journeys.actions('waiting')).toMatchObject([{ action: 'cancel', ...ANN, outcome: 'done' }]);
    expect(await journeys.stage.rows('select 1 from pawl.timer')).toEqual([]);
  });

  it('again: it is so already', async () => {
    const answer = await journeys.control('waiting').cancel(ANN);
    expect(answer).toMatchObject({ status: 'cancelled', changed: false });
  });

  it('while a call is under way: that ends, and is undone with the others', async () => {
    const calling = new Barrier();
    journeys.bookings.during = async (name) => (name === 'hotel' ? calling.stop() : undefined);
    await journeys.want('in flight');
    const goOn = await calling.arrival();
    const { status } = await journeys.control('in flight').cancel(ANN);
    expect(status).toBe('compensating');
    goOn();
    await journeys.in('in flight', { status: 'cancelled' });
    expect(journeys.bookings.calls).toEqual(['flight', 'hotel', 'cancelHotel', 'cancelFlight']);
    expect((await journeys.run('in flight')).state).toBe('Booking');
  });

  it('while a step waits for its next attempt: nobody waits for that', async () => {
    journeys.bookings.during = async (name) => {
      if (name === 'flight') throw new NoEffectError('try again tomorrow');
    };
    await journeys.want('retrying');
    await until(async () => (await journeys.steps('retrying')).length > 0);
    await journeys.control('retrying').cancel(ANN);
    await journeys.in('retrying', { status: 'cancelled' });
    expect(journeys.bookings.calls).not.toContain('cancelFlight');
  });

  it('by two people at once: one of them does', async () => {
    await journeys.book('twice');
    const answers = await Promise.all([
      journeys.control('twice').cancel(ANN),
      journeys.control('twice').cancel({ actor: 'bob', reason: 'so did I' }),
    ]);
    expect(answers.filter(({ changed }) => changed)).toHaveLength(1);
    await journeys.in('twice', { status: 'cancelled' });
    expect(journeys.bookings.calls.filter((name) => name === 'cancelFlight')).toHaveLength(1);
    expect(await journeys.actions('twice')).toHaveLength(2);
  });

  it('once under one id, and is answered as the first time', async () => {
    await journeys.book('repeated');
    const id = '0195c0de-0000-7000-8000-00000000c0de';
    await journeys.control('repeated').cancel({ ...ANN, id });
    await journeys.in('repeated', { status: 'cancelled' });
    const again = await journeys.control('repeated').cancel({ ...ANN, id });
    expect(again).toMatchObject({ status: 'cancelled', changed: true });
    expect(await journeys.actions('repeated')).toHaveLength(1);
    await expect(journeys.control('repeated').terminate({ ...ANN, id })).rejects.toMatchObject({
      details: { code: 'id_reused' },
    });
  });

  it('past the point of no return: it is refused, and that it was asked is kept', async () => {
    await journeys.depart('gone');
    const refused = journeys.control('gone').cancel(ANN);
    await expect(refused).rejects.toBeInstanceOf(ControlRefusedError);
    await expect(refused).rejects.toMatchObject({
      code: 'control_refused',
      details: { code: 'past_no_return', status: 'waiting', state: 'Travelling' },
    });
    expect(await journeys.actions('gone')).toMatchObject([
      { action: 'cancel', outcome: 'past_no_return', detail: { refusal: expect.any(String) as string } },
    ]);
    expect(await journeys.journaled('gone')).toEqual([]);
  });

  it('with an event that waits: that is too late, and a loss', async () => {
    const calling = new Barrier();
    journeys.bookings.during = async (name) => (name === 'hotel' ? calling.stop() : undefined);
    await journeys.want('late');
    const goOn = await calling.arrival();
    expect(await journeys.deliver('late', new Departed())).toBe('early state-not-reached');
    await journeys.control('late').cancel(ANN);
    const losses = `select type, reason from pawl.loss where run_key = 'late'`;
    expect(await journeys.stage.rows(losses)).toEqual([
      { type: 'journey.departed', reason: 'never-applied' },
    ]);
    goOn();
    await journeys.in('late', { status: 'cancelled' });
  });

  it('and that can not be committed: nothing of it stays, not even that it was asked', async () => {
    await journeys.book('broken');
    await journeys.stage.rows(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$;
      create constraint trigger refuse after insert on pawl.journal deferrable initially deferred
        for each row when (new.kind = 'control') execute function refuse()`);
    await expect(journeys.control('broken').cancel(ANN)).rejects.toThrow('no room');
    await journeys.stage.rows('drop trigger refuse on pawl.journal');
    expect(await journeys.actions('broken')).toEqual([]);
    expect(await journeys.run('broken')).toMatchObject({ status: 'waiting', undo: null });
  });

  it('that nobody has started: there is none', async () => {
    await expect(journeys.control('nobody').cancel(ANN)).rejects.toMatchObject({ code: 'run_not_found' });
    await expect(journeys.control('waiting').cancel({ actor: '', reason: 'x' })).rejects.toMatchObject({
      code: 'control_invalid',
    });
  });
});
