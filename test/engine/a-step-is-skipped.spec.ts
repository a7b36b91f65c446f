import { PermanentError } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { Departed } from './journey.js';
import { ANN, JourneyStage } from './journey-stage.js';

describe('A step is skipped', () => {
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

  const failAt = (step: string) => {
    journeys.bookings.during = async (name) => {
      if (name === step) throw new PermanentError('fully booked');
    };
  };

  it('the run goes on behind it, its timers start, and an event that has waited is taken', async () => {
    failAt('hotel');
    const runId = await journeys.want('one');
    await journeys.in('one', { status: 'failed' });
    const answer = await journeys.control('one').skip({ ...ANN, output: 'a tent' });
    expect(answer).toMatchObject({ runId, status: 'waiting', state: 'Booked', changed: true });
    expect(await journeys.steps('one')).toEqual(['flight done', 'hotel skipped']);
    expect(await journeys.stage.rows('select member from pawl.timer')).toEqual([{ member: 'nobodyCame' }]);
    expect(await journeys.deliver('one', new Departed())).toBe('applied accepted');
    await journeys.in('one', { state: 'Travelling', status: 'waiting' });
  });

  it('what the person has seen to is not undone with the others', async () => {
    failAt('hotel');
    await journeys.want('two');
    await journeys.in('two', { status: 'failed' });
    await journeys.control('two').skip(ANN);
    await journeys.control('two').cancel(ANN);
    await journeys.in('two', { status: 'cancelled' });
    expect(journeys.bookings.calls).toEqual(['flight', 'hotel', 'cancelFlight']);
  });

  it('a compensation that has given up: the run ends as it was to', async () => {
    await journeys.book('three');
    failAt('cancelHotel');
    await journeys.control('three').cancel(ANN);
    await journeys.in('three', { status: 'compensation_failed' });
    await journeys.control('three').skip(ANN);
    expect(await journeys.in('three', { status: 'cancelled' })).toMatchObject({ attention: null });
  });

  it('where nothing waits for a person: it is refused', async () => {
    await journeys.book('four');
    await expect(journeys.control('four').skip(ANN)).rejects.toMatchObject({
      details: { code: 'nothing_to_skip' },
    });
    await expect(journeys.control('four').skip({ ...ANN, step: 'hotel' })).rejects.toMatchObject({
      details: { code: 'step_left_behind' },
    });
  });
});
