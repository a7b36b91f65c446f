import { until } from '@pawl/testing';
import { expectSound } from './engine-checks.js';
import { type EngineStage, LocalHints, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { Accepted, EFFECTS, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('All slots are taken', () => {
  const charging = new Barrier();
  let stage: EngineStage;

  beforeAll(async () => {
    const gateway = {
      charge: async (key: string) => {
        await charging.stop();
        return key;
      },
    };
    stage = await startEngine({
      workflows: [new SmallOrderWorkflow(gateway)],
      schema: EFFECTS,
      // Nobody is told of a run but by the test, and nobody looks by itself.
      options: { concurrency: 1, hintChannel: new LocalHints(true), rescueEveryMs: 3_600_000 },
    });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  async function due(key: string): Promise<string> {
    const { runId } = await stage.client.start(SmallOrderWorkflow, key, new Submitted('Ada'));
    await stage.client.deliver(SmallOrderWorkflow, key, new Accepted(0));
    return runId;
  }
  const ended = async (key: string) =>
    until(async () => (await stage.client.runOf(SmallOrderWorkflow, key))?.state === 'AwaitingShipment');

  it('the rescuer waits its turn, and takes what was forgotten', async () => {
    const first = await due('first');
    const { worker } = stage.runtime;
    await worker.take([first]);
    const finishFirst = await charging.arrival();
    await due('forgotten');
    const rescued = worker.takeOverdue(0, 10);
    finishFirst();
    expect(await rescued).toBe(1);
    (await charging.arrival())();
    for (const key of ['first', 'forgotten']) await ended(key);
  });
});
