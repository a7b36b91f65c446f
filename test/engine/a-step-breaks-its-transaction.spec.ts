import { MessageType } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { type StepContext, workflow } from '@pawl/workflow';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'job.ordered', version: 1 })
class Ordered {}

const job = workflow<object>()('job', { version: 1, states: ['Ordered', 'Done'], final: ['Done'] });

type Work = (context: StepContext<object>) => Promise<unknown>;

@job.Workflow()
class JobWorkflow {
  constructor(private readonly work: Work) {}

  @job.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @job.Step({ in: 'Ordered', to: 'Done', retry: { attempts: 2, delay: 10 } })
  async act(context: StepContext<object>): Promise<unknown> {
    return this.work(context);
  }
}

const cases: [what: string, message: RegExp, work: Work][] = [
  [
    'swallows a SQL error',
    /SQL error was caught and ignored/,
    async ({ tx }) => tx.query('select 1/0').catch(() => undefined),
  ],
  ['commits by itself', /ended from inside by a COMMIT/, async ({ tx }) => tx.query('commit')],
  [
    'commits and begins another',
    /ended from inside by a COMMIT/,
    async ({ tx }) => tx.query('commit; begin'),
  ],
  ['returns what PostgreSQL can not keep', /unicode|NUL|\\u0000/i, async () => 'a\0b'],
];

describe('A step breaks its transaction', () => {
  let stage: EngineStage;
  let calls = 0;
  let work: Work;

  beforeAll(async () => {
    const counted: Work = async (context) => {
      calls++;
      return work(context);
    };
    stage = await startEngine({ workflows: [new JobWorkflow(counted)] });
  });
  beforeEach(() => (calls = 0));
  afterAll(async () => stage.stop());

  it.each(cases)(
    'which %s: its attempts are spent by its policy, and a person is told why',
    async (key, message, broken) => {
      work = broken;
      await stage.client.start(JobWorkflow, key, new Ordered());
      const run = await until(async () => {
        const found = await stage.client.runOf(JobWorkflow, key);
        return found?.status === 'failed' ? found : undefined;
      });
      expect(run.attention).toMatch(message);
      expect(calls).toBe(2);
    },
  );
});
