import { setTimeout as pause } from 'node:timers/promises';
import { describeWithRedis, testRedisUrl, until } from '@pawl/testing';
import { Redis } from 'ioredis';
import pg from 'pg';
import { eachOnce } from './account.js';
import { CrashStage } from './crash-stage.js';

const HOUR_MS = 3_600_000;
const LOOKS = 20;

describe('Hints are not needed', () => {
  let stage: CrashStage;
  afterEach(async () => stage.strike());

  it('when all of them are lost: the rescuer takes what is due', async () => {
    stage = await CrashStage.set();
    const worker = await stage.open({ hintsAreLost: true });
    const keys = stage.keys(100);
    await Promise.all(keys.map(async (key) => worker.start(key)));
    await stage.finished(keys);
    expect(await stage.account(keys)).toEqual(eachOnce(keys));
  });

  it('but without them it takes a rescuer', async () => {
    stage = await CrashStage.set();
    const worker = await stage.open({ hintsAreLost: true, engine: { rescueEveryMs: HOUR_MS } });
    const keys = stage.keys(3);
    await Promise.all(keys.map(async (key) => worker.start(key)));
    for (let look = 0; look < LOOKS; look++) {
      expect(await stage.rows(`select 1 from pawl.run where fencing_token > 0`)).toEqual([]);
      await pause(20);
    }
    expect(await worker.runtime.worker.takeOverdue(0, keys.length)).toBe(keys.length);
    await stage.finished(keys);
    expect(await stage.account(keys)).toEqual(eachOnce(keys));
  });

  it('when every job of BullMQ on PostgreSQL is deleted', async () => {
    stage = await CrashStage.set();
    const client = new pg.Client(stage.options.busUrl);
    await client.connect();
    await finishesWithout(async (name) => {
      const { rowCount } = await client.query('delete from bullmq.job where queue like $1', [`%${name}`]);
      return rowCount ?? 0;
    });
    await client.end();
  });

  describeWithRedis('on Redis', () => {
    it('when every job of BullMQ is deleted', async () => {
      stage = await CrashStage.set({ busUrl: testRedisUrl() });
      const redis = new Redis(testRedisUrl());
      await finishesWithout(async (name) => {
        const found = await redis.keys(`${stage.options.prefix}:${name}:*`);
        const jobs = found.filter((key) => /:(wait|active|prioritized)$|:[0-9a-f-]{36}\.\d+$/.test(key));
        return jobs.length > 0 ? redis.del(...jobs) : 0;
      });
      redis.disconnect();
    });
  });

  /** @param steal deletes the jobs of a queue, and answers how many */
  async function finishesWithout(steal: (queue: string) => Promise<number>): Promise<void> {
    const engine = { queueUrl: stage.options.busUrl };
    const starter = await stage.open({ engine: { ...engine, work: false } });
    const keys = stage.keys(60);
    // Hints that nobody takes before the thief does.
    await Promise.all(keys.map(async (key) => starter.start(key)));
    let stolen = 0;
    await until(async () => (stolen += await steal('hints-errands')) > 0);
    const thief = new AbortController();
    const thieving = (async () => {
      while (!thief.signal.aborted) {
        stolen += await steal('hints-errands');
        await pause(5);
      }
    })();
    await stage.open({ engine });
    await stage.finished(keys);
    thief.abort();
    await thieving;
    expect(stolen).toBeGreaterThan(0);
    expect(await stage.account(keys)).toEqual(eachOnce(keys));
  }
});
