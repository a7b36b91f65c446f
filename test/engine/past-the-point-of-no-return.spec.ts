import { startTestEngine, type TestEngine } from '@pawl/testing';
import {
  type CompensationContext,
  NoEffectError,
  PermanentError,
  type StepContext,
  workflow,
} from '@pawl/workflow';
import { expectSound, verdictsOf } from './engine-checks.js';
import { Barrier } from './gate.js';
import { Agency, CalledOff, Ordered } from './trip.js';

type Context = StepContext<object>;
type Undone = CompensationContext<object, unknown>;

const shipping = workflow<object>()('shipping', {
  version: 1,
  states: ['Ordered', 'Shipped', 'CalledOff'],
  final: ['Shipped', 'CalledOff'],
});
const retry = { attempts: 2, backoff: 'fixed', delay: 10 } as const;

@shipping.Workflow()
class ShippingWorkflow {
  constructor(private readonly agency: Agency) {}

  @shipping.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @shipping.On(CalledOff, { in: 'Ordered', to: 'CalledOff', undo: true, competes: true })
  calledOff(): void {}

  @shipping.Step({ in: 'Ordered', effect: 'external', retry })
  async charge(context: Context): Promise<unknown> {
    return this.agency.call('charge', context);
  }

  @shipping.Compensate('charge', { retry })
  async refund(context: Undone): Promise<void> {
    return this.agency.undo('refund', context);
  }

  @shipping.Step({ in: 'Ordered', effect: 'external', noReturn: true, retry })
  async ship(context: Context): Promise<unknown> {
    return this.agency.call('ship', context);
  }

  @shipping.Step({ in: 'Ordered', to: 'Shipped', retry })
  async tell(context: Context): Promise<unknown> {
    return this.agency.call('tell', context);
  }
}

describe('Past the point of no return', () => {
  let engine: TestEngine;
  const agency = new Agency();

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new ShippingWorkflow(agency)] });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  const run = async (key: string) => engine.client.runOf(ShippingWorkflow, key);
  const callOff = async (key: string) => engine.client.deliver(ShippingWorkflow, key, new CalledOff());
  const order = async (key: string): Promise<void> => {
    await engine.client.start(ShippingWorkflow, key, new Ordered());
    await engine.drain();
    await engine.clock.advance('1s');
    await engine.drain();
  };

  it('an event that would undo comes too late from the intent on, and is a loss', async () => {
    const calling = new Barrier();
    agency.does.set('ship begun', () => calling.stop());
    await engine.client.start(ShippingWorkflow, 'begun', new Ordered());
    const drained = engine.drain();
    const goOn = await calling.arrival();
    expect(await callOff('begun')).toMatchObject({
      verdict: 'late',
      rule: 'past-no-return',
      status: 'running',
    });
    goOn();
    await drained;
    await engine.drain();
    expect(await run('begun')).toMatchObject({ status: 'completed', state: 'Shipped', noReturn: true });
    expect(agency.of('begun')).toEqual(['charge', 'ship', 'tell']);
    expect(await engine.rows(`select reason from pawl.loss where run_key = 'begun'`)).toEqual([
      { reason: 'past-no-return' },
    ]);
  });

  it('a step that gives up undoes nothing: the run has failed, and asks for a person', async () => {
    agency.does.set('tell fails', async () => Promise.reject(new PermanentError('no address')));
    await order('fails');
    expect(await run('fails')).toMatchObject({ status: 'failed', attention: 'step tell failed: no address' });
    expect(agency.undone('fails')).toEqual([]);
  });

  it('so does that step itself, if it may have taken effect', async () => {
    agency.does.set('ship in doubt', async () => Promise.reject(new Error('connection reset')));
    await order('in doubt');
    expect(await run('in doubt')).toMatchObject({ status: 'failed', noReturn: true });
    expect(agency.undone('in doubt')).toEqual([]);
  });

  it('but not if it is certain that it had no effect: then the way back is open again', async () => {
    agency.does.set('ship refused', async () => Promise.reject(new PermanentError('no carrier')));
    await order('refused');
    expect(await run('refused')).toMatchObject({ status: 'compensated', noReturn: false });
    expect(agency.undone('refused')).toEqual([['refund', 'charge of refused']]);
    expect((await verdictsOf(engine, 'refused')).slice(-3)).toEqual(['ship', 'refund', 'compensated']);
  });

  it('also between two attempts of it', async () => {
    agency.does.set('ship not yet', async () => Promise.reject(new NoEffectError('429')));
    await engine.client.start(ShippingWorkflow, 'not yet', new Ordered());
    await engine.drain();
    expect(await callOff('not yet')).toMatchObject({ verdict: 'applied', status: 'compensating' });
    await engine.drain();
    expect(agency.undone('not yet')).toEqual([['refund', 'charge of not yet']]);
  });
});
