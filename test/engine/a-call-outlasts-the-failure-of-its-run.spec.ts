import { until } from '@pawl/testing';
import { PermanentError, type StepContext, workflow } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { Ordered } from './trip.js';

const mailing = workflow<object>()('mailing', { version: 1, states: ['Ordered', 'Sent'], final: ['Sent'] });
const calling = new Barrier();
const aborted: string[] = [];

@mailing.Workflow()
class MailingWorkflow {
  @mailing.On(Ordered, { start: true, to: 'Ordered' })
  ordered(): void {}

  @mailing.Step({ in: 'Ordered', effect: 'external', guarantee: 'at-most-once', after: [] })
  async mail({ key, signal }: StepContext<object>): Promise<string> {
    signal.addEventListener('abort', () => aborted.push(key));
    await calling.stop();
    return 'sent';
  }

  @mailing.Step({ in: 'Ordered', effect: 'external', after: [] })
  async check({ key }: StepContext<object>): Promise<void> {
    if (key === 'fails') throw new PermanentError('no address');
  }

  @mailing.Step({ in: 'Ordered', to: 'Sent' })
  async close(): Promise<void> {}
}

describe('A call outlasts the failure of its run', () => {
  let stage: EngineStage;

  beforeAll(async () => {
    const options = { leaseMs: 1_200, rescueEveryMs: 3_600_000 };
    stage = await startEngine({ workflows: [new MailingWorkflow()], options });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  const leaseOf = async (key: string): Promise<Date | null | undefined> =>
    (
      await stage.rows<{ lease_until: Date | null }>('select lease_until from pawl.run where key = $1', [key])
    )[0]?.lease_until;

  it('it is not cut off by the next renewal, and what it has done is no loss', async () => {
    for (const key of ['fails', 'renewed']) await stage.client.start(MailingWorkflow, key, new Ordered());
    const goOn = [await calling.arrival(), await calling.arrival()];
    await until(async () => (await stage.client.runOf(MailingWorkflow, 'fails'))?.status === 'failed');
    // All that the process holds is renewed in one statement; the first may have been under way.
    for (const nth of ['first', 'second']) {
      const lease = await leaseOf('renewed');
      await until(async () => ((await leaseOf('renewed')) ?? 0) > (lease ?? 0), {
        what: `the ${nth} renewal`,
      });
    }
    expect(aborted).toEqual([]);
    for (const one of goOn) one();
    await until(() => stage.runtime.worker.idle);
    expect(
      await stage.rows(`select status, count(*)::int from pawl.step where name = 'mail' group by 1`),
    ).toEqual([{ status: 'done', count: 2 }]);
    expect(await stage.rows('select 1 from pawl.loss')).toEqual([]);
  });
});
