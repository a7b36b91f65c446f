import { eachOnce } from './account.js';
import { CrashStage } from './crash-stage.js';

describe('A worker dies in a step', () => {
  let stage: CrashStage;
  beforeAll(async () => (stage = await CrashStage.set()));
  afterEach(async () => stage.clear());
  afterAll(async () => stage.strike());

  // The number is the passage at which it dies: other runs are behind, before and in the middle of theirs then.
  it.each([
    'claim.after:3',
    'step.after-effect:2',
    'step.before-commit:3',
    'step.after-commit:4',
    'external.after-intent:2',
    'external.after-effect:3',
  ])('at %s: another one finishes every run, and each effect is there once', async (crashPoint) => {
    const keys = stage.keys(4);
    const worker = await stage.fork({ crashPoint });
    worker.send({ start: keys });
    expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(worker.crashed()).toBe(true);
    const successor = await stage.open();
    await Promise.all(keys.map(async (key) => successor.start(key)));
    await stage.finished(keys);
    expect(await stage.account(keys)).toEqual(eachOnce(keys));
  });

  it('before it lets go of a run that waits for its next attempt: another one makes that attempt', async () => {
    const keys = stage.keys(3);
    stage.ledger.behave = async ({ key }) => {
      if (stage.ledger.callsOf(key).length === 1) throw new Error('not now');
    };
    const worker = await stage.fork({ crashPoint: 'activation.before-release:2' });
    worker.send({ start: keys });
    expect(await worker.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(worker.crashed()).toBe(true);
    expect(
      await stage.rows(`select 1 from pawl.step where name = 'pay' and status = 'retrying'`),
    ).not.toEqual([]);
    const successor = await stage.open();
    // It may have died before it had started all of them.
    await Promise.all(keys.map(async (key) => successor.start(key)));
    await stage.finished(keys);
    expect(await stage.account(keys, { callsMax: 3 })).toEqual(eachOnce(keys));
  });
});
