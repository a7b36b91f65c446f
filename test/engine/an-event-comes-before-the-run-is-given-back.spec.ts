import { MessageType } from '@pawl/messaging';
import { PostgresProxy, until } from '@pawl/testing';
import { workflow } from '@pawl/workflow';
import { expectSound, waitingForLocks } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';

@MessageType({ name: 'search.begun', version: 1 })
class Begun {}

@MessageType({ name: 'search.hinted', version: 1 })
class Hinted {}

const search = workflow<object>()('search', {
  version: 1,
  states: ['Far', 'Near', 'Found'],
  final: ['Found'],
});

@search.Workflow()
class SearchWorkflow {
  @search.On(Begun, { start: true, to: 'Far' })
  begun(): void {}

  @search.On(Hinted, { in: 'Far', to: 'Near', competes: true })
  hinted(): void {}

  @search.Step({ in: 'Far', to: 'Found', retry: { delay: '1h', delayMax: '1h' } })
  async lookAround(): Promise<void> {
    throw new Error('nothing here');
  }

  @search.Step({ in: 'Near', to: 'Found' })
  async pickUp(): Promise<void> {}
}

describe('An event comes before the run is given back', () => {
  let stage: EngineStage;
  let proxy: PostgresProxy;
  let worker: EngineStage;

  beforeAll(async () => {
    const workflows = [new SearchWorkflow()];
    const limits = { lockTimeoutMs: 20_000 };
    stage = await startEngine({ workflows, options: { work: false }, limits });
    proxy = await PostgresProxy.start(stage.url);
    worker = await startEngine({
      workflows,
      url: proxy.url(stage.url),
      options: { rescueEveryMs: 3_600_000 },
    });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => {
    await worker.stop();
    await proxy.close();
    await stage.stop();
  });

  it('its worker sees that the run is not as it knew it, and goes on instead of sleeping for an hour', async () => {
    const failure = proxy.catchCommit('pawl_record_failure');
    await worker.client.start(SearchWorkflow, 'one', new Begun());
    await failure.caught;
    // Waits for the row that the failure holds, so it has it before the worker can release.
    const hinted = stage.client.deliver(SearchWorkflow, 'one', new Hinted());
    await waitingForLocks(stage);
    await failure.deliver();
    expect(await hinted).toMatchObject({ verdict: 'applied', state: 'Near' });
    await until(async () => (await stage.client.runOf(SearchWorkflow, 'one'))?.state === 'Found');
  });
});
