import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { type StepContext, workflow } from '@pawl/workflow';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'parcel.opened', version: 1 })
class Opened {}

@MessageType({ name: 'parcel.noted', version: 1 })
class Noted {
  constructor(readonly text: string) {}
}

@MessageType({ name: 'parcel.closed', version: 1 })
class Closed {}

interface Parcel {
  notes?: string[];
}

const parcel = workflow<Parcel>()('parcel', {
  version: 1,
  states: ['Packing', 'Packed', 'Gone'],
  final: ['Gone'],
});

@parcel.Workflow()
class ParcelWorkflow {
  constructor(private readonly during: (context: StepContext<Parcel>) => Promise<void>) {}

  @parcel.On(Opened, { start: true, to: 'Packing' })
  opened(data: Parcel): void {
    data.notes = [];
  }

  @parcel.On(Noted, { in: ['Packing', 'Packed'], key: (event) => event.text, competes: true })
  noted(data: Parcel, event: Noted): void {
    data.notes?.push(event.text);
  }

  @parcel.Step({ in: 'Packing', to: 'Packed' })
  async pack(context: StepContext<Parcel>): Promise<void> {
    await this.during(context);
  }

  @parcel.On(Closed, { in: 'Packed', to: 'Gone' })
  closed(): void {}
}

describe('An event is folded while a step runs', () => {
  let stage: EngineStage;
  let meanwhile: (key: string) => Promise<unknown>;
  let calls = 0;

  beforeAll(async () => {
    const during = async ({ key }: { key: string }): Promise<void> => {
      if (calls++ === 0) await meanwhile(key);
    };
    stage = await startEngine({ workflows: [new ParcelWorkflow(during)] });
  });
  afterAll(async () => stage.stop());

  it('and its data survive that the step then decides an event which was parked', async () => {
    meanwhile = async (key) => {
      await stage.client.deliver(ParcelWorkflow, key, new Noted('fragile'));
      expect((await stage.client.deliver(ParcelWorkflow, key, new Closed())).verdict).toBe('early');
    };
    await stage.client.start(ParcelWorkflow, 'one', new Opened());
    await until(async () => (await stage.client.runOf(ParcelWorkflow, 'one'))?.state === 'Gone');
    expect(await stage.client.runOf(ParcelWorkflow, 'one')).toMatchObject({
      status: 'completed',
      data: { notes: ['fragile'] },
      parkedCount: 0,
    });
    expect(calls).toBe(1);
  });
});
