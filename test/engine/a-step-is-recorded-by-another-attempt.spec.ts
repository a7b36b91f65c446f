import { v7 as uuidv7 } from 'uuid';
import { effectsOf, expectSound, orderIn, placeOrder, stepOf } from './engine-checks.js';
import { type EngineStage, startEngine } from './engine-stage.js';
import { Barrier } from './gate.js';
import { EFFECTS, SmallOrderWorkflow } from './small-order.js';

describe('A step is recorded by another attempt while it runs', () => {
  let stage: EngineStage;
  const reserving = new Barrier();

  beforeAll(async () => {
    const workflow = new SmallOrderWorkflow({ charge: async (key) => key }, () => reserving.stop());
    stage = await startEngine({
      workflows: [workflow],
      schema: EFFECTS,
      options: { rescueEveryMs: 3_600_000 },
    });
  });
  afterEach(async () => expectSound(stage));
  afterAll(async () => stage.stop());

  it('its own effects are rolled back, and the run goes on behind the record', async () => {
    await placeOrder(stage, 'one');
    const goOn = await reserving.arrival();
    // As a doubtful COMMIT leaves it that turns out to have happened: same token, same state.
    await stage.rows(
      `insert into pawl.step (run_id, round, name, status, effect, attempts, attempt_id, idempotency_key, fencing_token, output)
       select id, round, 'reserve', 'done', 'transactional', 1, $1, 'k', fencing_token, '"of the other attempt"' from pawl.run`,
      [uuidv7()],
    );
    goOn();
    await orderIn(stage, 'one', 'AwaitingShipment');
    expect(await effectsOf(stage, 'one')).toEqual(['release']);
    expect(await stepOf(stage, 'one', 'reserve')).toMatchObject({ output: 'of the other attempt' });
  });
});
