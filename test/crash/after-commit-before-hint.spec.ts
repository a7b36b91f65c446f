import { CrashStage } from './crash-stage.js';
import { eachOnce } from './account.js';

describe('After commit, before the hint', () => {
  let stage: CrashStage;
  beforeAll(async () => (stage = await CrashStage.set()));
  afterEach(async () => stage.clear());
  afterAll(async () => stage.strike());

  it('its process dies: the run is due, nobody was told, and a rescuer takes it', async () => {
    const [key = ''] = stage.keys(1);
    const worker = await stage.fork({ crashPoint: 'hint.before-send' });
    worker.send({ start: [key] });
    expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(worker.crashed()).toBe(true);
    expect(
      await stage.rows('select fencing_token::int as claims from pawl.run where due_at is not null'),
    ).toEqual([{ claims: 0 }]);
    await stage.open();
    await stage.finished([key]);
    expect(await stage.account([key])).toEqual(eachOnce([key]));
  });
});
