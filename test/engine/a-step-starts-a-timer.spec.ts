import { MessageType } from '@pawl/messaging';
import { startTestEngine, type TestEngine } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { expectSound, verdictsOf } from './engine-checks.js';

@MessageType({ name: 'parcel.packed', version: 1 })
class Packed {
  constructor(readonly dueAt: string) {}
}

@MessageType({ name: 'parcel.postponed', version: 1 })
class Postponed {
  constructor(readonly dueAt: string) {}
}

interface Parcel {
  dueAt: string;
}

const parcel = workflow<Parcel>()('parcel', {
  version: 1,
  states: ['Packed', 'Sent', 'Late'],
  final: ['Late'],
});

@parcel.Workflow()
class ParcelWorkflow {
  constructor(private readonly send: () => Promise<void>) {}

  @parcel.On(Packed, { start: true, to: 'Packed' })
  packed(data: Parcel, { dueAt }: Packed): void {
    data.dueAt = dueAt;
  }

  @parcel.On(Postponed, { in: 'Packed', competes: true })
  postponed(data: Parcel, { dueAt }: Postponed): void {
    data.dueAt = dueAt;
  }

  @parcel.Step({ in: 'Packed', to: 'Sent', effect: 'external' })
  async dispatch(): Promise<void> {
    return this.send();
  }

  @parcel.Timeout({ in: 'Sent', at: ({ dueAt }) => dueAt, to: 'Late' })
  overdue(): void {}
}

describe('A step moves a run to a state with a timeout at an instant', () => {
  let engine: TestEngine;
  let during: () => Promise<void>;

  beforeAll(async () => {
    engine = await startTestEngine({ workflows: [new ParcelWorkflow(async () => during())] });
  });
  afterEach(async () => expectSound(engine));
  afterAll(async () => engine?.stop());

  const firesAt = async (key: string) =>
    engine.rows<{ fire_at: Date }>(
      'select t.fire_at from pawl.timer t join pawl.run r on r.id = t.run_id where r.key = $1',
      [key],
    );

  it('the newest data says it: an event was folded while the step ran', async () => {
    const later = '2100-05-01T00:00:00.000Z';
    during = async () =>
      void (await engine.client.deliver(ParcelWorkflow, 'postponed', new Postponed(later)));
    await engine.client.start(ParcelWorkflow, 'postponed', new Packed('2100-01-01T00:00:00Z'));
    await engine.drain();
    expect(await firesAt('postponed')).toEqual([{ fire_at: new Date(later) }]);
  });

  it('an instant that can not be read asks for a person, and the run is where the step has moved it', async () => {
    during = async () => undefined;
    await engine.client.start(ParcelWorkflow, 'unreadable', new Packed('soon'));
    await engine.drain();
    const run = await engine.client.runOf(ParcelWorkflow, 'unreadable');
    expect(run).toMatchObject({ state: 'Sent', status: 'waiting' });
    expect(run?.attention).toContain(`handler-failed: overdue's at answered "soon"`);
    expect(await verdictsOf(engine, 'unreadable')).toEqual([
      'parcel.packed applied started',
      'dispatch',
      'overdue rejected handler-failed',
    ]);
    expect(await firesAt('unreadable')).toEqual([]);
  });
});
