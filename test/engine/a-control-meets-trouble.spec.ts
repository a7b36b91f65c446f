import { MessageType } from '@pawl/messaging';
import { PostgresProxy } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { expectSound } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Bookings, JourneyWorkflow, Wanted } from './journey.js';
import { ANN } from './journey-stage.js';

@MessageType({ name: 'nap.begun', version: 1 })
class Begun {}

const nap = workflow<object>()('nap', { version: 1, states: ['Asleep', 'Awake'], final: ['Awake'] });

@nap.Workflow()
class NapWorkflow {
  @nap.On(Begun, { start: true, to: 'Asleep' })
  begun(): void {}

  @nap.Step({ in: 'Asleep', to: 'Awake' })
  async wake(): Promise<void> {}
}

describe('A control meets trouble', () => {
  let direct: EngineStage;
  let proxy: PostgresProxy;
  let cutOff: EngineStage;
  const options = { work: false };

  beforeAll(async () => {
    const workflows = [new JourneyWorkflow(new Bookings())];
    direct = await startEngine({ workflows, options });
    proxy = await PostgresProxy.start(direct.url);
    cutOff = await startEngine({ workflows, url: proxy.url(direct.url), options });
  });
  afterEach(async () => expectSound(direct));
  afterAll(async () => {
    await cutOff?.stop();
    await proxy?.close();
    await direct?.stop();
  });

  const want = async (key: string) =>
    (await direct.client.start(JourneyWorkflow, key, new Wanted('Rome'))).runId;
  const pausesOf = async (runId: string) =>
    direct.rows(`select name from pawl.journal where run_id = $1 and kind = 'control'`, [runId]);

  it('the reply to its COMMIT is lost: it looks, and answers what it has done', async () => {
    const runId = await want('lost reply');
    const commit = proxy.catchCommit('insert into pawl.operator_action');
    const paused = cutOff.runtime.control.of(JourneyWorkflow, 'lost reply').pause(ANN);
    await commit.caught;
    const delivered = commit.deliver();
    commit.cutClient();
    await delivered;
    expect(await paused).toMatchObject({ status: 'paused', changed: true });
    expect(await pausesOf(runId)).toEqual([{ name: 'pause' }]);
  });

  it('somebody holds the run for too long: it is busy, and nothing is changed', async () => {
    const runId = await want('busy');
    const { transactions } = direct.messaging;
    await transactions.run(async (tx) => {
      await tx.lend().manager.query('select 1 from pawl.run where id = $1 for update', [runId]);
      const paused = direct.runtime.control.ofRun(runId).pause(ANN);
      await expect(paused).rejects.toMatchObject({ code: 'busy' });
    });
    expect(await pausesOf(runId)).toEqual([]);
  });

  it('the process does not have the version of the run: it says so, and touches nothing', async () => {
    const runId = await want('elsewhere');
    const other = await startEngine({ workflows: [new NapWorkflow()], url: direct.url, options });
    await expect(other.runtime.control.ofRun(runId).cancel(ANN)).rejects.toMatchObject({
      details: { code: 'version_unknown', status: 'running' },
    });
    await other.stop();
    expect(await pausesOf(runId)).toEqual([]);
  });
});
