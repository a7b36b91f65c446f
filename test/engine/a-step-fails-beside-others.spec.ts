import { startTestEngine, type TestEngine, until } from '@pawl/testing';
import { type CompensationContext, PermanentError, type StepContext, workflow } from '@pawl/workflow';
import { expectSound, stepOf } from './engine-checks.js';
import { Barrier, gate } from './gate.js';
import { Agency, Ordered } from './trip.js';

type Context = StepContext<object>;
type Undone = CompensationContext<object, unknown>;

const beside = workflow<object>()('beside', { version: 1, states: ['Booking', 'Booked'], final: ['Booked'] });
const retry = { attempts: 1 } as const;

/** A flight and a hotel, booked side by side; the hotel can not be cancelled. */
@beside.Workflow()
class BesideWorkflow {
  constructor(private readonly agency: Agency) {}

  @beside.On(Ordered, { start: true, to: 'Booking' })
  ordered(): void {}

  @beside.Step({ in: 'Booking', effect: 'external', after: [], retry })
  async flight(context: Context): Promise<unknown> {
    return this.agency.call('flight', context);
  }

  @beside.Compensate('flight', { retry })
  async cancelFlight(context: Undone): Promise<void> {
    return this.agency.undo('cancelFlight', context);
  }

  @beside.Step({ in: 'Booking', effect: 'external', after: [], retry })
  async hotel(context: Context): Promise<unknown> {
    return this.agency.call('hotel', context);
  }

  @beside.Step({ in: 'Booking', to: 'Booked' })
  async confirm(context: Context): Promise<unknown> {
    return this.agency.call('confirm', context);
  }
}

describe('A step fails beside others', () => {
  let engine: TestEngine;
  const agency = new Agency();

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new BesideWorkflow(agency)] });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  it('what is under way counts as done, although it was begun after the run was read, and is undone once it has ended', async () => {
    const [booking, failed] = [new Barrier(), gate()];
    agency.does.set('flight under way', async () => {
      await booking.stop();
      return 'seat 7';
    });
    agency.does.set('hotel under way', async () => {
      await failed.passed;
      throw new PermanentError('no room');
    });
    await engine.client.start(BesideWorkflow, 'under way', new Ordered());
    const drained = engine.drain();
    const goOn = await booking.arrival();
    failed.open();
    await until(
      async () => (await engine.client.runOf(BesideWorkflow, 'under way'))?.status === 'compensating',
    );
    expect(agency.undone('under way')).toEqual([]);
    goOn();
    await drained;
    await engine.drain();
    expect(agency.undone('under way')).toEqual([['cancelFlight', 'seat 7']]);
    expect(await engine.client.runOf(BesideWorkflow, 'under way')).toMatchObject({
      status: 'compensated',
      attention: 'step hotel failed: no room',
    });
    expect(await stepOf(engine, 'under way', 'hotel')).toMatchObject({ status: 'failed', attempts: 1 });
  });
});
