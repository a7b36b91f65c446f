import { startTestEngine, type TestEngine } from '@pawl/testing';
import { PermanentError } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { Barrier } from './gate.js';
import { Agency, CalledOff, Changed, Ended, Ordered, Postponed, TripWorkflow } from './trip.js';

describe('An event moves the run from an open step', () => {
  let engine: TestEngine;
  const agency = new Agency();

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new TripWorkflow(agency)] });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  const deliver = async (key: string, event: object) => engine.client.deliver(TripWorkflow, key, event);
  const run = async (key: string) => engine.client.runOf(TripWorkflow, key);
  /** Orders a trip whose car does what is said, with the call under way. */
  const orderUpToTheCar = async (key: string, answer: () => Promise<unknown>) => {
    const calling = new Barrier();
    agency.does.set(`car ${key}`, async () => {
      await calling.stop();
      return answer();
    });
    await engine.client.start(TripWorkflow, key, new Ordered());
    const drained = engine.drain();
    const goOn = await calling.arrival();
    return async (): Promise<void> => {
      goOn();
      await drained;
      await engine.drain();
    };
  };

  it('what it had done before it was moved stays, and what the open call did is undone', async () => {
    const goOn = await orderUpToTheCar('open', async () => 'a car');
    expect(await deliver('open', new Postponed())).toMatchObject({ state: 'Later', status: 'running' });
    await goOn();
    expect(agency.undone('open')).toEqual([['cancelCar', 'a car']]);
    expect(await run('open')).toMatchObject({ status: 'waiting', state: 'Later' });
  });

  it('with nothing to undo where the call was refused', async () => {
    const goOn = await orderUpToTheCar('refused', async () =>
      Promise.reject(new PermanentError('none left')),
    );
    await deliver('refused', new Postponed());
    await goOn();
    expect(agency.undone('refused')).toEqual([]);
    expect(await run('refused')).toMatchObject({ status: 'waiting', state: 'Later' });
  });

  it('and again, before that is undone: it still is, although no step is due where the run is', async () => {
    const goOn = await orderUpToTheCar('twice', async () => 'a car');
    await deliver('twice', new Postponed());
    await deliver('twice', new Changed());
    expect(await deliver('twice', new Ended())).toMatchObject({ state: 'Over', status: 'compensating' });
    await goOn();
    expect(agency.undone('twice')).toEqual([['cancelCar', 'a car']]);
    expect(await run('twice')).toMatchObject({ status: 'completed', state: 'Over' });
  });

  it('into its end: the run has ended once that is undone', async () => {
    const goOn = await orderUpToTheCar('ended', async () => 'a car');
    expect(await deliver('ended', new Ended())).toMatchObject({ state: 'Over', status: 'compensating' });
    await goOn();
    expect(agency.undone('ended')).toEqual([['cancelCar', 'a car']]);
    expect(await run('ended')).toMatchObject({ status: 'completed', undo: { scope: 'abandoned' } });
  });

  it('between two attempts: what may have taken effect is undone', async () => {
    agency.does.set('car between', async () => Promise.reject(new Error('connection reset')));
    await engine.client.start(TripWorkflow, 'between', new Ordered());
    await engine.tick();
    await deliver('between', new Postponed());
    await engine.drain();
    expect(agency.of('between')).toEqual(['flight', 'hotel', 'car', 'cancelCar']);
    expect(await run('between')).toMatchObject({ status: 'waiting', state: 'Later' });
  });

  it('and undoes all: what was left open as well, once', async () => {
    const goOn = await orderUpToTheCar('all', async () => 'a car');
    await deliver('all', new CalledOff());
    await goOn();
    expect(agency.undone('all').map(([what]) => what)).toEqual(['cancelCar', 'cancelHotel', 'cancelFlight']);
    expect(await run('all')).toMatchObject({ status: 'compensated' });
  });
});
