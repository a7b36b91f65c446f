import { until } from '@pawl/testing';
import { eachOnce } from './account.js';
import { CrashStage } from './crash-stage.js';

describe('A worker is stopped beyond its lease and continued', () => {
  let stage: CrashStage;
  beforeAll(async () => (stage = await CrashStage.set()));
  afterEach(async () => stage.clear());
  afterAll(async () => stage.strike());

  const gate = (): { passed: Promise<void>; open: () => void } => {
    let open = (): void => undefined;
    const passed = new Promise<void>((resolve) => (open = resolve));
    return { passed, open };
  };

  it('in a transactional step: the server frees its locks, a successor finishes, and nothing of it is committed', async () => {
    const [key = ''] = stage.keys(1);
    const worker = await stage.fork({ stopAt: 'step.after-effect' });
    worker.send({ start: [key] });
    await until(() => worker.output.includes('stops at step.after-effect'));
    await stage.open();
    await stage.finished([key]);
    worker.kill('SIGCONT');
    const { passages } = await stage.idle(worker);
    expect(passages).toMatchObject({ 'step.after-effect': 1 });
    expect(passages).not.toHaveProperty('step.after-commit');
    expect(await stage.account([key])).toEqual(eachOnce([key]));
    expect(await stage.rows('select n from app.counter where name = $1', [key])).toEqual([{ n: 1 }]);
  });

  it('before it records what a call has answered: its record is refused while its successor makes the call again', async () => {
    const [key = ''] = stage.keys(1);
    const second = gate();
    stage.ledger.behave = async () => {
      if (stage.ledger.callsOf(key).length === 2) await second.passed;
    };
    const worker = await stage.fork({ stopAt: 'external.after-effect' });
    worker.send({ start: [key] });
    await until(() => worker.output.includes('stops at external.after-effect'));
    await stage.open();
    await until(() => stage.ledger.callsOf(key).length === 2);
    worker.kill('SIGCONT');
    const { passages } = await stage.idle(worker);
    // One commit, of the step before; the one that the worker tried after the call was not.
    expect(passages).toMatchObject({ 'external.after-effect': 1, 'step.after-commit': 1 });
    second.open();
    await stage.finished([key]);
    expect(await stage.account([key])).toEqual(eachOnce([key]));
    const steps = `select s.attempts, s.fencing_token = r.fencing_token as successors
      from pawl.step s join pawl.run r on r.id = s.run_id where r.key = $1 and s.name = 'pay'`;
    expect(await stage.rows(steps, [key])).toEqual([{ attempts: 2, successors: true }]);
  });

  it('in a call: its successor makes the call again, and it gives up by itself', async () => {
    const [key = ''] = stage.keys(1);
    const first = gate();
    stage.ledger.behave = async () => {
      if (stage.ledger.callsOf(key).length === 1) await first.passed;
    };
    const worker = await stage.fork();
    worker.send({ start: [key] });
    await until(() => stage.ledger.callsOf(key).length === 1);
    worker.kill('SIGSTOP');
    await stage.open();
    await stage.finished([key]);
    first.open();
    worker.kill('SIGCONT');
    await stage.idle(worker);
    expect(await stage.account([key])).toEqual(eachOnce([key]));
  });
});
