import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import {
  type CompensationContext,
  NoEffectError,
  PermanentError,
  type StepContext,
  workflow,
} from '@pawl/workflow';
import { expectSound, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';

@MessageType({ name: 'trip.asked', version: 1 })
class Asked {}

const trip = workflow<object>()('trip', {
  version: 1,
  states: ['Asked', 'Booked'],
  final: ['Booked'],
});

/** A flight and a hotel, which do not wait for each other, a transfer behind the hotel, and the join of all. */
@trip.Workflow()
class TripWorkflow {
  readonly flying = new Barrier();
  readonly staying = new Barrier();
  readonly events: string[] = [];

  @trip.On(Asked, { start: true, to: 'Asked' })
  asked(): void {}

  @trip.Step({ in: 'Asked', after: [], effect: 'external', retry: { attempts: 2, delay: 20 } })
  async flight({ key, attempt }: StepContext<object>): Promise<string> {
    if (key === 'retried' && attempt === 1) throw new NoEffectError('not yet');
    await this.flying.stop();
    this.events.push('flight');
    return 'seat 7';
  }

  @trip.Compensate('flight', { effect: 'transactional' })
  async cancelFlight({ outcome, output }: CompensationContext<object, string>): Promise<void> {
    this.events.push(`cancel flight: ${outcome === 'done' ? output : outcome}`);
  }

  @trip.Step({ in: 'Asked', after: [], effect: 'external', retry: { attempts: 1 } })
  async hotel({ key }: StepContext<object>): Promise<string> {
    await this.staying.stop();
    if (key === 'no-room') throw new PermanentError('no room');
    this.events.push('hotel');
    return 'room 3';
  }

  @trip.Step({ in: 'Asked', after: ['hotel'] })
  async transfer(): Promise<void> {
    this.events.push('transfer');
  }

  @trip.Step({ in: 'Asked', to: 'Booked' })
  async confirm({ outputs }: StepContext<object>): Promise<void> {
    this.events.push(`confirm ${String(outputs['flight'])}, ${String(outputs['hotel'])}`);
  }
}

describe('Steps run side by side', () => {
  const flow = new TripWorkflow();
  let stage: EngineStage;
  beforeAll(async () => {
    stage = await startEngine({ workflows: [flow] });
  });
  beforeEach(() => flow.events.splice(0));
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const start = async (key: string) => stage.client.start(TripWorkflow, key, new Asked());
  const ended = async (key: string, status: string) =>
    until(async () => (await stage.client.runOf(TripWorkflow, key))?.status === status, {
      what: `${key} ${status}`,
    });
  const done = async (key: string, name: string) =>
    until(async () => (await stepOf(stage, key, name))?.status === 'done', { what: `${name} of ${key}` });

  it('two are at work at once, and the one that leaves the state waits for both', async () => {
    await start('both');
    const [flyOn, stayOn] = [await flow.flying.arrival(), await flow.staying.arrival()];
    flyOn();
    await done('both', 'flight');
    expect(await stage.client.runOf(TripWorkflow, 'both')).toMatchObject({
      state: 'Asked',
      status: 'running',
    });
    expect(flow.events).toEqual(['flight']);
    stayOn();
    await ended('both', 'completed');
    expect(flow.events).toEqual(['flight', 'hotel', 'transfer', 'confirm seat 7, room 3']);
  });

  it('a slow one does not hold up the chain beside it', async () => {
    await start('slow');
    const flyOn = await flow.flying.arrival();
    (await flow.staying.arrival())();
    await done('slow', 'transfer');
    expect(flow.events).toEqual(['hotel', 'transfer']);
    flyOn();
    await ended('slow', 'completed');
    expect(flow.events.at(-1)).toBe('confirm seat 7, room 3');
  });

  it('one that waits for its next attempt does not either', async () => {
    await start('retried');
    (await flow.staying.arrival())();
    (await flow.flying.arrival())();
    await ended('retried', 'completed');
    expect(await stepOf(stage, 'retried', 'flight')).toMatchObject({ attempts: 2, status: 'done' });
    expect(await stepOf(stage, 'retried', 'hotel')).toMatchObject({ attempts: 1, status: 'done' });
  });

  it('where one gives up, what another has done meanwhile is kept, and undone', async () => {
    await start('no-room');
    const flyOn = await flow.flying.arrival();
    (await flow.staying.arrival())();
    await until(async () => (await stepOf(stage, 'no-room', 'hotel'))?.status === 'failed');
    flyOn();
    await ended('no-room', 'compensated');
    expect(flow.events).toEqual(['flight', 'cancel flight: seat 7']);
    expect(await stepOf(stage, 'no-room', 'flight')).toMatchObject({ status: 'done', output: 'seat 7' });
  });
});
