import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { endLease, expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';

@MessageType({ name: 'climb.begun', version: 1 })
class Begun {}

const climb = workflow<object>()('climb', { version: 1, states: ['Climbing', 'Up'], final: ['Up'] });

@climb.Workflow()
class ClimbWorkflow {
  constructor(private readonly climb: () => Promise<void>) {}

  @climb.On(Begun, { start: true, to: 'Climbing' })
  begun(): void {}

  @climb.Step({ in: 'Climbing', to: 'Up' })
  async goUp(): Promise<void> {
    await this.climb();
  }
}

describe('A quarantined run is put back by a redrive', () => {
  let stage: EngineStage;
  let other: EngineStage | undefined;
  let isMended = false;
  const climbing = new Barrier();
  const workflows = [new ClimbWorkflow(async () => (isMended ? undefined : climbing.stop()))];
  const options = { claimsMax: 1, rescueEveryMs: 20 };

  beforeAll(async () => {
    stage = await startEngine({ workflows, options });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => {
    await other?.stop();
    await stage.stop();
  });

  const run = async () => stage.client.runOf(ClimbWorkflow, 'one');

  it('and goes on where it was', async () => {
    await stage.client.start(ClimbWorkflow, 'one', new Begun());
    const goOn = await climbing.arrival();
    await endLease(stage, 'one');
    // The duty looks when an engine starts.
    other = await startEngine({ workflows, url: stage.url, options });
    await until(async () => (await run())?.attention, { what: 'quarantine' });
    goOn();
    await until(() => stage.runtime.worker.idle);
    const quarantined = await run();
    expect(quarantined).toMatchObject({ status: 'running', state: 'Climbing' });

    isMended = true;
    const control = stage.runtime.control.ofRun(quarantined?.id ?? '');
    expect(await control.redrive({ actor: 'ann', reason: 'mended' })).toMatchObject({ changed: true });
    await until(async () => (await run())?.state === 'Up');
    expect(await run()).toMatchObject({ status: 'completed', attention: null });
  });
});
