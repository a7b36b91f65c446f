import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { endLease, expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';

@MessageType({ name: 'parade.begun', version: 1 })
class Begun {}

@MessageType({ name: 'parade.called-off', version: 1 })
class CalledOff {}

const parade = workflow<object>()('parade', {
  version: 1,
  states: ['Marching', 'Leaving', 'Over'],
  final: ['Over'],
});

@parade.Workflow()
class ParadeWorkflow {
  constructor(private readonly marching: Barrier) {}

  @parade.On(Begun, { start: true, to: 'Marching' })
  begun(): void {}

  @parade.On(CalledOff, { in: 'Marching', to: 'Leaving', competes: true })
  calledOff(): void {}

  @parade.Step({ in: 'Marching', to: 'Over' })
  async march(): Promise<void> {
    await this.marching.stop();
  }

  @parade.Step({ in: 'Leaving', to: 'Over' })
  async leave(): Promise<void> {}
}

describe('A quarantined run is moved on by an event', () => {
  let stage: EngineStage;
  const marching = new Barrier();
  const workflows = [new ParadeWorkflow(marching)];
  const options = { claimsMax: 1, rescueEveryMs: 20 };

  beforeAll(async () => {
    stage = await startEngine({ workflows, options });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const run = async () => stage.client.runOf(ParadeWorkflow, 'one');

  it('the step that killed its workers is not due any more, so others run', async () => {
    await stage.client.start(ParadeWorkflow, 'one', new Begun());
    await marching.arrival();
    await endLease(stage, 'one');
    // The duty looks when an engine starts.
    const other = await startEngine({ workflows, url: stage.url, options });
    await until(async () => (await run())?.attention, { what: 'quarantine' });
    await other.stop();
    await stage.client.deliver(ParadeWorkflow, 'one', new CalledOff());
    await until(async () => (await run())?.state === 'Over');
    expect(await run()).toMatchObject({ attention: 'quarantined: 1 claims without progress' });
  });
});
