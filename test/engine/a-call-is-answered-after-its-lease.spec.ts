import { until } from '@pawl/testing';
import { type EngineStage, startEngine } from './engine-stage.js';
import { MessageType } from '@pawl/messaging';
import { type StepContext, workflow } from '@pawl/workflow';

@MessageType({ name: 'transfer.ordered', version: 1 })
class Ordered {}

const transfer = workflow<object>()('transfer', { version: 1, states: ['Ordered', 'Paid'], final: ['Paid'] });

@transfer.Workflow()
class TransferWorkflow {
  constructor(private readonly call: (context: StepContext<object>) => Promise<string>) {}

  @transfer.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @transfer.Step({ in: 'Ordered', to: 'Paid', effect: 'external' })
  async pay(context: StepContext<object>): Promise<string> {
    return this.call(context);
  }
}

describe('A call is answered after its lease', () => {
  let stage: EngineStage;
  let answer: () => void = () => undefined;
  let calls = 0;

  beforeAll(async () => {
    const call = async (): Promise<string> => {
      if (++calls === 1) await new Promise<void>((resolve) => (answer = resolve));
      return `receipt ${calls}`;
    };
    // The test decides who has the run: nobody rescues it, and its one slot is free once the first worker has given up.
    const options = { rescueEveryMs: 3_600_000, concurrency: 1 };
    stage = await startEngine({ workflows: [new TransferWorkflow(call)], options });
  });
  afterAll(async () => stage.stop());

  it('and is not taken for the end of the step while another worker has the run', async () => {
    await stage.client.start(TransferWorkflow, 'one', new Ordered());
    await until(() => calls === 1);
    // Another worker has claimed the run, and has not come to its intent yet.
    await stage.rows(
      `update pawl.run set fencing_token = fencing_token + 1, lease_until = clock_timestamp(), due_at = clock_timestamp()`,
    );
    answer();
    await until(async () => stage.runtime.worker.takeOverdue(0, 1));
    await until(async () => (await stage.client.runOf(TransferWorkflow, 'one'))?.state === 'Paid');
    expect(await stage.rows('select status, attempts, output from pawl.step')).toEqual([
      { status: 'done', attempts: 2, output: 'receipt 2' },
    ]);
  });
});
