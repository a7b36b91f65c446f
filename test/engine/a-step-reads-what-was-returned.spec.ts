import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { type StepContext, workflow } from '@pawl/workflow';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'visit.booked', version: 1 })
class Booked {
  constructor(readonly guests: readonly string[]) {}
}

interface Visit {
  guests?: readonly string[];
}

const visit = workflow<Visit>()('visit', { version: 1, states: ['Booked', 'Done'], final: ['Done'] });

@visit.Workflow()
class VisitWorkflow {
  readonly seen: unknown[] = [];

  @visit.On(Booked, { start: true, to: 'Booked' })
  booked(data: Visit, event: Booked): void {
    data.guests = event.guests;
  }

  @visit.Step({ in: 'Booked' })
  async nothing(): Promise<void> {}

  @visit.Step({ in: 'Booked' })
  async stamp(): Promise<{ at: Date }> {
    return { at: new Date(0) };
  }

  /** In a transaction of its own, so that it is read again by an activation that does not know the first two. */
  @visit.Step({ in: 'Booked', effect: 'external', retry: { delay: 1, attempts: 2 } })
  async call({ outputs, attempt }: StepContext<Visit>): Promise<string> {
    this.seen.push(outputs);
    if (attempt === 1) throw new Error('not now');
    return 'called';
  }

  @visit.Step({ in: 'Booked', to: 'Done' })
  async read({ outputs, data }: StepContext<Visit>): Promise<void> {
    this.seen.push(outputs);
    this.seen.push(Object.isFrozen(data.guests), Object.isFrozen(outputs['stamp']));
  }
}

describe('A step reads what others have returned', () => {
  const instance = new VisitWorkflow();
  let stage: EngineStage;
  beforeAll(async () => (stage = await startEngine({ workflows: [instance] })));
  afterAll(async () => stage.stop());

  it('as plain JSON that can not be changed, the same in the first activation and in any later one', async () => {
    await stage.client.start(VisitWorkflow, 'one', new Booked(['Ada']));
    await until(async () => (await stage.client.runOf(VisitWorkflow, 'one'))?.state === 'Done');
    const first = { nothing: null, stamp: { at: '1970-01-01T00:00:00.000Z' } };
    expect(instance.seen).toEqual([first, first, { ...first, call: 'called' }, true, true]);
  });
});
