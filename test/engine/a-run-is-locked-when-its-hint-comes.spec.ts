import { until } from '@pawl/testing';
import { type EngineStage, LocalHints, startEngine } from './engine-stage.js';
import { Accepted, EFFECTS, SmallOrderWorkflow, Submitted } from './small-order.js';

describe('A run is locked when its hint comes', () => {
  let stage: EngineStage;
  const hints = new LocalHints();

  beforeAll(async () => {
    const gateway = { charge: async (key: string) => key };
    stage = await startEngine({
      workflows: [new SmallOrderWorkflow(gateway)],
      schema: EFFECTS,
      // Nobody but a hint brings a worker to the run.
      options: { hintChannel: hints, rescueEveryMs: 3_600_000 },
    });
  });
  afterAll(async () => stage.stop());

  it('and goes on as soon as it is free', async () => {
    await stage.client.start(SmallOrderWorkflow, 'one', new Submitted('Ada'));
    const holder = stage.dataSource.createQueryRunner();
    await hints.pause();
    await stage.client.deliver(SmallOrderWorkflow, 'one', new Accepted(0));
    await holder.startTransaction();
    const [run] = (await holder.query(`select id from pawl.run for no key update`)) as { id: string }[];
    await stage.runtime.worker.take([run?.id ?? '']);
    await holder.rollbackTransaction();
    await holder.release();
    await until(
      async () => (await stage.client.runOf(SmallOrderWorkflow, 'one'))?.state === 'AwaitingShipment',
    );
  });
});
