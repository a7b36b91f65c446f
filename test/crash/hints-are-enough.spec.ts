import { describeWithRedis, testRedisUrl } from '@pawl/testing';
import { eachOnce } from './account.js';
import { CrashStage } from './crash-stage.js';

const HOUR_MS = 3_600_000;
const RUNS = 100;

describe('Hints are enough', () => {
  describe('with BullMQ on PostgreSQL', () => {
    suite(async () => CrashStage.set());
  });
  describeWithRedis('with BullMQ on Redis', () => {
    suite(async () => CrashStage.set({ busUrl: testRedisUrl() }));
  });
});

function suite(set: () => Promise<CrashStage>): void {
  let stage: CrashStage;
  beforeAll(async () => (stage = await set()));
  afterAll(async () => stage.strike());

  it('while nothing fails: runs that one process starts are finished by two others, although nobody rescues', async () => {
    // A lease that runs out because the machine is busy would have to be rescued.
    const engine = { queueUrl: stage.options.busUrl, rescueEveryMs: HOUR_MS, leaseMs: 60_000 };
    const starter = await stage.open({ engine: { ...engine, work: false } });
    await Promise.all([stage.open({ engine }), stage.open({ engine })]);
    // Every fourth has to wait for a second attempt.
    stage.ledger.behave = async ({ key }) => {
      if (key.endsWith('0') && stage.ledger.callsOf(key).length === 1) throw new Error('not now');
    };
    const keys = stage.keys(RUNS);
    // Each is started twice at the same time.
    await Promise.all([...keys, ...keys].map(async (key) => starter.start(key)));
    await stage.finished(keys);
    expect(await stage.account(keys)).toEqual(eachOnce(keys));
  });
}
