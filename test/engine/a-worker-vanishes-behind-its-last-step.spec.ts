import { onCrashPoint } from '@pawl/core';
import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';

@MessageType({ name: 'trip.booked', version: 1 })
class Booked {}

@MessageType({ name: 'trip.begun', version: 1 })
class Begun {}

@MessageType({ name: 'trip.ended', version: 1 })
class Ended {}

const trip = workflow<object>()('trip', {
  version: 1,
  states: ['Booked', 'Ready', 'OnTheWay', 'Home'],
  final: ['Home'],
});

@trip.Workflow()
class TripWorkflow {
  constructor(private readonly packing: Barrier) {}

  @trip.On(Booked, { start: true, to: 'Booked' })
  booked(): void {}

  @trip.Step({ in: 'Booked', to: 'Ready' })
  async pack(): Promise<void> {
    await this.packing.stop();
  }

  @trip.On(Begun, { in: 'Ready', to: 'OnTheWay' })
  begun(): void {}

  @trip.On(Ended, { in: 'OnTheWay', to: 'Home' })
  ended(): void {}
}

describe('A worker vanishes right behind the last step of a run', () => {
  let stage: EngineStage;
  let vanishing: EngineStage;
  const packing = new Barrier();

  beforeAll(async () => {
    const workflows = [new TripWorkflow(packing)];
    stage = await startEngine({ workflows, options: { work: false } });
    vanishing = await startEngine({ workflows, url: stage.url });
  });
  afterAll(async () => {
    onCrashPoint(() => undefined);
    await vanishing.stop().catch(() => undefined);
    await stage.stop();
  });

  it('while an event waits with the run: nobody is left holding it', async () => {
    await vanishing.client.start(TripWorkflow, 'one', new Booked());
    const goOn = await packing.arrival();
    expect((await stage.client.deliver(TripWorkflow, 'one', new Ended())).verdict).toBe('early');
    let vanished: Promise<void> | undefined;
    onCrashPoint((name) => {
      // From here on it can not reach the database any more.
      if (name === 'step.after-commit') vanished ??= vanishing.dataSource.destroy();
    });
    goOn();
    await until(() => vanished !== undefined);
    await vanished;
    expect(await stage.rows('select status, state, parked_count, lease_until, due_at from pawl.run')).toEqual(
      [{ status: 'waiting', state: 'Ready', parked_count: 1, lease_until: null, due_at: null }],
    );
  });
});
