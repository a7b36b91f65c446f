import { until } from '@pawl/testing';
import type { StepContext } from '@pawl/workflow';
import { effectsOf, endLease, expectSound, orderIn, placeOrder, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, type SmallOrder, SmallOrderWorkflow } from './small-order.js';

const AN_HOUR = 3_600_000;

describe('A worker has lost its lease', () => {
  let zombie: EngineStage;
  let successor: EngineStage;
  const [zombies, successors] = [new Barrier(), new Barrier()];
  const gateway = { charge: async (key: string) => key };
  let zombieFails = false;

  const writes =
    (who: string, at: Barrier) =>
    async ({ tx, key }: StepContext<SmallOrder>) => {
      await tx.query('insert into app.effect (key, step) values ($1, $2)', [key, who]);
      await at.stop();
    };

  beforeAll(async () => {
    const during = writes('zombie', zombies);
    const workflow = new SmallOrderWorkflow(gateway, async (context) => {
      await during(context);
      if (zombieFails) throw new Error('the zombie failed');
    });
    zombie = await startEngine({
      workflows: [workflow],
      schema: EFFECTS,
      options: { rescueEveryMs: AN_HOUR },
    });
    successor = await startEngine({
      workflows: [new SmallOrderWorkflow(gateway, writes('successor', successors))],
      url: zombie.url,
      options: { rescueEveryMs: AN_HOUR },
    });
  });
  afterEach(async () => expectSound(zombie));
  afterAll(async () => {
    await successor.stop();
    await zombie.stop();
  });

  const tokenOf = async (key: string) => {
    const [row] = await zombie.rows<{ token: number }>(
      'select fencing_token::int as token from pawl.run where key = $1',
      [key],
    );
    return row?.token;
  };

  async function takenOver(key: string): Promise<{ zombieGoesOn: () => void; successorGoesOn: () => void }> {
    await placeOrder(zombie, key);
    const zombieGoesOn = await zombies.arrival();
    expect(await tokenOf(key)).toBe(1);
    await endLease(zombie, key);
    expect(await successor.runtime.worker.takeOverdue(0, 1)).toBe(1);
    const successorGoesOn = await successors.arrival();
    expect(await tokenOf(key)).toBe(2);
    return { zombieGoesOn, successorGoesOn };
  }

  it('and writes nothing, although the run is where it left it', async () => {
    const { zombieGoesOn, successorGoesOn } = await takenOver('same state');
    zombieGoesOn();
    await until(() => zombie.runtime.worker.idle);
    expect(await effectsOf(zombie, 'same state')).toEqual([]);
    expect(await stepOf(zombie, 'same state', 'reserve')).toBeUndefined();
    successorGoesOn();
    await orderIn(zombie, 'same state', 'AwaitingShipment');
    expect(await effectsOf(zombie, 'same state')).toEqual(['reserve', 'successor', 'release']);
  });

  it('and writes nothing after its successor has finished', async () => {
    const { zombieGoesOn, successorGoesOn } = await takenOver('finished');
    successorGoesOn();
    await orderIn(zombie, 'finished', 'AwaitingShipment');
    zombieGoesOn();
    await until(() => zombie.runtime.worker.idle);
    expect(await effectsOf(zombie, 'finished')).toEqual(['reserve', 'successor', 'release']);
  });

  it("and its failure is not its successor's", async () => {
    zombieFails = true;
    const { zombieGoesOn, successorGoesOn } = await takenOver('failed');
    zombieGoesOn();
    await until(() => zombie.runtime.worker.idle);
    expect(await stepOf(zombie, 'failed', 'reserve')).toBeUndefined();
    successorGoesOn();
    await orderIn(zombie, 'failed', 'AwaitingShipment');
    expect(await stepOf(zombie, 'failed', 'reserve')).toMatchObject({
      attempts: 1,
      errors: [],
      fencing_token: 2,
    });
  });
});
