import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { type StepContext, workflow } from '@pawl/workflow';
import { expectSound, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';

@MessageType({ name: 'claim.filed', version: 1 })
class Filed {}

@MessageType({ name: 'claim.escalated', version: 1 })
class Escalated {}

const claim = workflow<object>()('claim', {
  version: 1,
  states: ['Checking', 'Paying', 'Escalated', 'Closed'],
  final: ['Closed'],
});

@claim.Workflow()
class ClaimWorkflow {
  constructor(private readonly checking: Barrier) {}

  @claim.On(Filed, { start: true, to: 'Checking' })
  filed(): void {}

  @claim.On(Escalated, { in: ['Checking', 'Paying'], to: 'Escalated', competes: true })
  escalated(): void {}

  @claim.Step({ in: 'Checking', to: 'Paying', alone: true })
  async check({ tx }: StepContext<object>): Promise<void> {
    await tx.query(`insert into app.note values ('checked')`);
    await this.checking.stop();
  }

  @claim.Step({ in: 'Paying', to: 'Closed' })
  async pay({ tx }: StepContext<object>): Promise<void> {
    await tx.query(`insert into app.note values ('paid')`);
  }

  @claim.Step({ in: 'Escalated', to: 'Closed' })
  async hear({ tx }: StepContext<object>): Promise<void> {
    await tx.query(`insert into app.note values ('heard')`);
  }
}

describe('An event moves the run to other steps while one runs (D1)', () => {
  let stage: EngineStage;
  const checking = new Barrier();

  beforeAll(async () => {
    const schema = 'create schema app; create table app.note (text text)';
    const workflows = [new ClaimWorkflow(checking)];
    stage = await startEngine({ workflows, schema, options: { rescueEveryMs: 3_600_000 } });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  it('the same worker drops what it did and runs the steps of the new state', async () => {
    await stage.client.start(ClaimWorkflow, 'one', new Filed());
    const goOn = await checking.arrival();
    const receipt = await stage.client.deliver(ClaimWorkflow, 'one', new Escalated());
    expect(receipt).toMatchObject({ verdict: 'applied', state: 'Escalated', status: 'running' });
    goOn();
    await until(async () => (await stage.client.runOf(ClaimWorkflow, 'one'))?.state === 'Closed');
    expect(await stage.rows('select text from app.note')).toEqual([{ text: 'heard' }]);
    expect(await stepOf(stage, 'one', 'check')).toBeUndefined();
    expect(await stage.rows('select fencing_token::int from pawl.run')).toEqual([{ fencing_token: 1 }]);
  });
});
