import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { type StepContext, workflow } from '@pawl/workflow';
import { expectSound, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'errand.ordered', version: 1 })
class Ordered {}

const errand = workflow<object>()('errand', { version: 1, states: ['Ordered', 'Done'], final: ['Done'] });

@errand.Workflow()
class ErrandWorkflow {
  readonly calls: { readonly attempt: number; readonly idempotencyKey: string }[] = [];

  @errand.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @errand.Step({
    in: 'Ordered',
    to: 'Done',
    effect: 'external',
    retry: { delay: '1h', backoff: 'fixed', delayMax: '1h' },
  })
  async run({ attempt, idempotencyKey }: StepContext<object>): Promise<void> {
    this.calls.push({ attempt, idempotencyKey });
    if (attempt === 1) throw new Error('before the restart');
  }
}

describe('A process restarts between two attempts', () => {
  let first: EngineStage;
  let second: EngineStage;
  const workflow = new ErrandWorkflow();
  const options = { rescueEveryMs: 20 };

  beforeAll(async () => {
    first = await startEngine({ workflows: [workflow], options });
  });
  afterEach(async () => expectSound(first));
  afterAll(async () => {
    await second.stop();
    await first.stop();
  });

  it('the next one waits for the same instant and counts on', async () => {
    await first.client.start(ErrandWorkflow, 'one', new Ordered());
    await until(async () => (await stepOf(first, 'one', 'run'))?.status === 'retrying');
    await until(() => first.runtime.worker.idle);
    await first.runtime.stop();
    second = await startEngine({ workflows: [workflow], url: first.url, options });
    await second.runtime.worker.takeOverdue(0, 10);
    expect(workflow.calls).toHaveLength(1);
    // An hour passes.
    await second.rows(`update pawl.step set next_attempt_at = next_attempt_at - interval '1 hour'`);
    await second.rows(`update pawl.run set due_at = due_at - interval '1 hour'`);
    await until(async () => (await second.client.runOf(ErrandWorkflow, 'one'))?.status === 'completed');
    expect(await stepOf(second, 'one', 'run')).toMatchObject({
      attempts: 2,
      errors: [{ message: 'before the restart' }],
    });
    expect(workflow.calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(new Set(workflow.calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });
});
