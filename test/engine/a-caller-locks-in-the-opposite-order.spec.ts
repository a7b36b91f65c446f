import { effectsOf, expectSound, orderIn, placeOrder, waitingForLocks } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, Shipped, SmallOrderWorkflow } from './small-order.js';

const STOCK = `${EFFECTS}; create table app.stock (product text primary key, pieces int not null);
  insert into app.stock values ('tea', 10)`;
const TAKE_ONE = `update app.stock set pieces = pieces - 1 where product = 'tea'`;

describe("A caller's transaction locks in the opposite order of a step (D19)", () => {
  let stage: EngineStage;
  let reservations = 0;
  const reserving = new Barrier();

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key }, async ({ tx }) => {
      reservations++;
      await tx.query(TAKE_ONE);
      await reserving.stop();
    });
    stage = await startEngine({ workflows: [workflow], schema: STOCK });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  it('neither waits for the other in a circle: the event is stored without a lock on its run', async () => {
    await placeOrder(stage, 'one');
    const goOn = await reserving.arrival();
    await stage.dataSource.transaction(async (manager) => {
      await stage.client.deliverIn(manager, SmallOrderWorkflow, 'one', new Shipped('T-1'));
      const taken = manager.query(TAKE_ONE);
      await waitingForLocks(stage);
      goOn();
      await taken;
    });
    expect(await orderIn(stage, 'one', 'Shipped')).toMatchObject({ data: { trackingNumber: 'T-1' } });
    expect(reservations).toBe(1);
    expect(await effectsOf(stage, 'one')).toEqual(['reserve', 'release']);
    expect(await stage.rows('select pieces from app.stock')).toEqual([{ pieces: 8 }]);
  });
});
