import { startTestEngine, type TestEngine } from '@pawl/testing';
import { type CompensationContext, type StepContext, workflow } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { Agency, CalledOff, Ordered } from './trip.js';

type Context = StepContext<object>;

const shipping = workflow<object>()('handing-over', {
  version: 1,
  states: ['Ordered', 'Shipped', 'CalledOff'],
  final: ['Shipped', 'CalledOff'],
});

@shipping.Workflow()
class HandingOverWorkflow {
  constructor(private readonly agency: Agency) {}

  @shipping.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @shipping.On(CalledOff, { in: 'Ordered', to: 'CalledOff', undo: true, competes: true })
  calledOff(): void {}

  @shipping.Step({ in: 'Ordered', effect: 'external' })
  async charge(context: Context): Promise<unknown> {
    return this.agency.call('charge', context);
  }

  @shipping.Compensate('charge')
  async refund(context: CompensationContext<object, unknown>): Promise<void> {
    return this.agency.undo('refund', context);
  }

  @shipping.Step({ in: 'Ordered', noReturn: true })
  async handOver(context: Context): Promise<unknown> {
    return this.agency.call('handOver', context);
  }

  @shipping.Step({ in: 'Ordered' })
  async book(context: Context): Promise<unknown> {
    return this.agency.call('book', context);
  }

  @shipping.Step({ in: 'Ordered', delay: '1h' })
  async tell(context: Context): Promise<unknown> {
    return this.agency.call('tell', context);
  }

  @shipping.Step({ in: 'Ordered', to: 'Shipped' })
  async close(context: Context): Promise<unknown> {
    return this.agency.call('close', context);
  }
}

describe('A step that can not be taken back shares its transaction with the one behind it', () => {
  let engine: TestEngine;
  const agency = new Agency();

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new HandingOverWorkflow(agency)] });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine.stop());

  it('the run is past the point of no return all the same', async () => {
    await engine.client.start(HandingOverWorkflow, 'A', new Ordered());
    await engine.drain();
    expect(agency.of('A')).toEqual(['charge', 'handOver', 'book']);
    expect(await engine.client.deliver(HandingOverWorkflow, 'A', new CalledOff())).toMatchObject({
      verdict: 'late',
      rule: 'past-no-return',
    });
    expect(await engine.client.runOf(HandingOverWorkflow, 'A')).toMatchObject({ noReturn: true });
    expect(agency.undone('A')).toEqual([]);
  });
});
