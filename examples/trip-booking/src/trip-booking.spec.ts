import { assertConverges, EffectLedger, startTestEngine, type TestEngine } from '@pawl/testing';
import { FakeProviders } from './fake-providers.js';
import { TripCancelled, TripRequested } from './messages.js';
import { Provider } from './provider.js';
import { TripWorkflow } from './trip.workflow.js';

const wanted = new TripRequested('LH 123', 'Ritz', 'Fiat', 89_900);
const callOff = new TripCancelled('I am ill');

describe('the booking of a trip', () => {
  const ledger = EffectLedger.create();
  let providers: FakeProviders;
  let engine: TestEngine;

  beforeAll(async () => {
    providers = await FakeProviders.start((effect) => ledger.note(effect));
    const provider = (name: string) => new Provider(providers.url(name), 1_000);
    const workflow = new TripWorkflow({
      flights: provider('flights'),
      hotels: provider('hotels'),
      cars: provider('cars'),
      bank: provider('bank'),
      tickets: provider('tickets'),
    });
    engine = await startTestEngine({ workflows: [workflow] });
  });
  afterAll(async () => {
    await engine.stop();
    await providers.stop();
    ledger.remove();
  });

  const trip = (key: string) => ({
    request: async () => engine.client.start(TripWorkflow, key, wanted),
    cancel: async () => {
      const { verdict, rule } = await engine.client.deliver(TripWorkflow, key, callOff);
      return `${verdict} ${rule}`;
    },
    /** State and status of its run. */
    run: async () => {
      const { state, status } = (await engine.client.runOf(TripWorkflow, key)) ?? {};
      return `${state}, ${status}`;
    },
    stage: async () => (await engine.client.status(TripWorkflow, key)).stage,
    /** What the providers have done for it, in their order. */
    effects: () => ledger.effects.filter((effect) => effect.endsWith(` ${key}`)).map(shortly),
    redrive: async () =>
      engine.runtime.control.of(TripWorkflow, key).redrive({ actor: 'ann', reason: 'they are back' }),
  });
  const shortly = (effect: string) => effect.split(' ').slice(0, 2).join(' ');
  const later = async (time: '10s' | '59m' | '1h') => {
    await engine.clock.advance(time);
    await engine.drain();
  };

  it('goes well: everything is booked once, charged once, and ticketed', async () => {
    const { request, run, stage, effects } = trip('T-1');
    await request();
    expect(await stage()).toBe('we are booking');
    await engine.drain();
    expect(await run()).toBe('Booked, completed');
    expect(effects().toSorted()).toEqual([
      'PUT bank',
      'PUT cars',
      'PUT flights',
      'PUT hotels',
      'PUT tickets',
    ]);
    expect([effects()[0], ...effects().slice(-2)]).toEqual(['PUT flights', 'PUT bank', 'PUT tickets']);
  });

  it('has no car: hotel and flight are given back, newest first, each once', async () => {
    const { request, run, stage, effects } = trip('T-2');
    providers.trouble('PUT cars T-2', 'refused');
    await request();
    await engine.drain();
    expect(await run()).toBe('Booking, compensated');
    expect(effects()).toEqual(['PUT flights', 'PUT hotels', 'DELETE hotels', 'DELETE flights']);
    expect(await stage()).toBe('it could not be booked; nothing was charged');
  });

  describe('is charged, and the bank does not answer: it is asked', () => {
    const [charged, notCharged] = [trip('T-3'), trip('T-4')];

    beforeAll(async () => {
      providers.trouble('PUT bank T-3', 'answer lost');
      providers.trouble('PUT bank T-4', 'request lost');
      await charged.request();
      await notCharged.request();
      await engine.drain();
      await later('10s');
    });

    it('the charge was made: it is not made again', async () => {
      expect(await charged.run()).toBe('Booked, completed');
      expect(providers.asked('bank', 'T-3')).toEqual(['PUT', 'GET']);
      expect(charged.effects().filter((effect) => effect === 'PUT bank')).toHaveLength(1);
    });

    it('it was not: it is made once', async () => {
      expect(await notCharged.run()).toBe('Booked, completed');
      expect(providers.asked('bank', 'T-4')).toEqual(['PUT', 'GET', 'PUT']);
      expect(notCharged.effects().filter((effect) => effect === 'PUT bank')).toHaveLength(1);
    });
  });

  it('is cancelled in the middle: a call under way ends, and everything is given back', async () => {
    const { request, cancel, run, stage, effects } = trip('T-5');
    const hotel = providers.hold('PUT hotels T-5');
    await request();
    const drained = engine.drain();
    await hotel.arrived;
    expect(await cancel()).toBe('applied accepted');
    hotel.goOn();
    await drained;
    await engine.drain();
    expect(await run()).toBe('Cancelled, compensated');
    expect(await stage()).toBe('cancelled: I am ill');
    expect(effects()).not.toContain('PUT bank');
    expect(effects().filter((effect) => effect.startsWith('PUT'))).toHaveLength(
      effects().filter((effect) => effect.startsWith('DELETE')).length,
    );
    expect(effects().at(-1)).toBe('DELETE flights');
  });

  it('is cancelled while its tickets are being issued: that is too late', async () => {
    const { request, cancel, run, effects } = trip('T-6');
    const tickets = providers.hold('PUT tickets T-6');
    await request();
    const drained = engine.drain();
    await tickets.arrived;
    expect(await cancel()).toBe('late past-no-return');
    tickets.goOn();
    await drained;
    expect(await run()).toBe('Booked, completed');
    expect(effects().some((effect) => effect.startsWith('DELETE'))).toBe(false);
    expect(await engine.rows(`select type, reason from pawl.loss where run_key = 'T-6'`)).toEqual([
      { type: 'trips.cancelled', reason: 'past-no-return' },
    ]);
  });

  it('takes longer than an hour: what was booked is given back', async () => {
    const { request, run, effects } = trip('T-7');
    providers.trouble('PUT hotels T-7', ...Array.from({ length: 30 }, () => 'busy' as const));
    await request();
    await engine.drain();
    await later('59m');
    expect(await run()).toBe('Booking, running');
    await later('10s');
    await later('1h');
    expect(await run()).toBe('Expired, compensated');
    expect(effects()).toEqual(['PUT flights', 'PUT cars', 'DELETE cars', 'DELETE flights']);
  });

  it('can not give one booking back: the others are, and an operator has it tried again', async () => {
    const { request, cancel, run, stage, effects, redrive } = trip('T-8');
    const bank = providers.hold('PUT bank T-8');
    providers.trouble('DELETE hotels T-8', 'refused');
    await request();
    const drained = engine.drain();
    await bank.arrived;
    await cancel();
    bank.goOn();
    await drained;
    await engine.drain();
    expect(await run()).toBe('Cancelled, compensation_failed');
    expect(await stage()).toBe('we are looking into your cancellation');
    const given = () => effects().filter((effect) => effect.startsWith('DELETE'));
    expect(given().toSorted()).toEqual(['DELETE bank', 'DELETE cars', 'DELETE flights']);

    expect(await redrive()).toMatchObject({ status: 'compensating', changed: true });
    await engine.drain();
    expect(await run()).toBe('Cancelled, compensated');
    expect(given().toSorted()).toEqual(['DELETE bank', 'DELETE cars', 'DELETE flights', 'DELETE hotels']);
  });
});

describe('every order of a request and its cancellation', () => {
  const outputs = { bookFlight: 'f', bookHotel: 'h', bookCar: 'c', charge: 'b', issueTickets: 't' };

  it('books the trip or gives all of it back, and nothing between', () => {
    const { ends } = assertConverges(TripWorkflow, [wanted, callOff], {
      outputs,
      timers: true,
      invariants: {
        'a trip with tickets keeps everything': ({ outputs: made, undone }) =>
          !('issueTickets' in made) || undone.length === 0,
      },
    });
    expect(ends).toEqual(['Booked, completed', 'Cancelled, compensated', 'Expired, compensated']);
  });

  it('gives all of it back without a car, too', () => {
    const { ends } = assertConverges(TripWorkflow, [wanted, callOff], {
      outputs,
      failing: ['bookCar'],
      // Whether the hotel was booked by then is a race, so it is not compared.
      compare: ({ state, status }) => ({ state, status }),
    });
    expect(ends).toEqual(['Booking, compensated', 'Cancelled, compensated']);
  });
});
