import { expectSound } from './engine-checks.js';
import { Barrier } from './gate.js';
import { Departed } from './journey.js';
import { ANN, JourneyStage } from './journey-stage.js';

describe('A run is terminated', () => {
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

  it('nothing is undone, and the answer says what stays', async () => {
    await journeys.book('one');
    expect(await journeys.control('one').terminate(ANN)).toMatchObject({
      status: 'terminated',
      changed: true,
      left: [
        { step: 'hotel', outcome: 'done', compensation: 'cancelHotel' },
        { step: 'flight', outcome: 'done', compensation: 'cancelFlight' },
      ],
    });
    expect(await journeys.stage.rows('select 1 from pawl.timer')).toEqual([]);
    expect(await journeys.deliver('one', new Departed())).toBe('late never-applied');
    expect(await journeys.control('one').terminate(ANN)).toMatchObject({ changed: false });
    expect(journeys.bookings.calls).toEqual(['flight', 'hotel']);
  });

  it('while a call is under way: what came of it is kept with the run', async () => {
    const calling = new Barrier();
    journeys.bookings.during = async (name) => (name === 'hotel' ? calling.stop() : undefined);
    await journeys.want('two');
    const goOn = await calling.arrival();
    expect((await journeys.control('two').terminate(ANN)).left).toMatchObject([
      { step: 'hotel', outcome: 'unknown' },
      { step: 'flight', outcome: 'done' },
    ]);
    goOn();
    await journeys.in('two', { status: 'terminated' });
    expect(await journeys.steps('two')).toEqual(['flight done', 'hotel done']);
    expect(await journeys.run('two')).toMatchObject({ status: 'terminated', state: 'Booking' });
  });

  it('while it is undone: the rest stays', async () => {
    await journeys.book('three');
    const calling = new Barrier();
    journeys.bookings.during = async (name) => (name === 'cancelHotel' ? calling.stop() : undefined);
    await journeys.control('three').cancel(ANN);
    const goOn = await calling.arrival();
    await journeys.control('three').terminate(ANN);
    goOn();
    await journeys.in('three', { status: 'terminated' });
    expect(journeys.bookings.calls).not.toContain('cancelFlight');
    expect(await journeys.steps('three')).toEqual(['flight done', 'hotel done', 'cancelHotel done']);
  });
});
