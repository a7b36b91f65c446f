import { until } from '@pawl/testing';
import { eachOnce } from './account.js';
import { CrashStage } from './crash-stage.js';

const HOUR_MS = 3_600_000;

describe('A worker is asked to stop', () => {
  let stage: CrashStage;
  beforeAll(async () => (stage = await CrashStage.set()));
  afterEach(async () => stage.clear());
  afterAll(async () => stage.strike());

  it('in the middle of calls: it hands its runs back and ends, and another one goes on without waiting for a lease', async () => {
    const keys = stage.keys(6);
    stage.ledger.behave = async ({ key }) => {
      // The first call is never answered.
      if (stage.ledger.callsOf(key).length === 1) await new Promise(() => undefined);
    };
    // Leases and rescuers of an hour: only what is handed back, and hinted at, can go on.
    const engine = { queueUrl: stage.options.busUrl, leaseMs: HOUR_MS, rescueEveryMs: HOUR_MS };
    const worker = await stage.fork({ engine });
    worker.send({ start: keys });
    await until(() => keys.every((key) => stage.ledger.callsOf(key).length === 1));
    await stage.open({ engine });
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    await stage.finished(keys);
    expect(await stage.account(keys)).toEqual(eachOnce(keys));
    // A hand-back spends no attempt.
    const attempts = `select max(s.attempts) as attempts from pawl.step s join pawl.run r on r.id = s.run_id where r.key = any ($1)`;
    expect(await stage.rows(attempts, [keys])).toEqual([{ attempts: 1 }]);
  });
});
