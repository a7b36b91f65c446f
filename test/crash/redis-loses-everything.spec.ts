import { setTimeout as pause } from 'node:timers/promises';
import { describeWithOwnRedis, type RedisServer, startRedis } from '@pawl/testing';
import { eachOnce } from './account.js';
import { CrashStage } from './crash-stage.js';

describeWithOwnRedis('Redis loses everything', () => {
  let redis: RedisServer;
  let stage: CrashStage;
  beforeAll(async () => {
    const started = await startRedis();
    if (!started) throw new Error('There is no Redis.');
    redis = started;
    stage = await CrashStage.set({ busUrl: redis.url });
  });
  afterAll(async () => {
    await stage.strike();
    await redis.stop();
  });

  it('by FLUSHALL and by SIGKILL, while 100 runs are under way whose hints and messages it carries: each effect is there once', async () => {
    stage.ledger.behave = async () => pause(50);
    const worker = await stage.fork({ engine: { concurrency: 4, queueUrl: redis.url } });
    const keys = stage.keys(100);
    worker.send({ start: keys });
    await stage.started(keys);
    await stage.finishedOf(keys, 20);
    await redis.flushAll();
    await stage.finishedOf(keys, 40);
    await redis.kill();
    await stage.finishedOf(keys, 60);
    await redis.start();
    await stage.finished(keys);
    expect(await stage.account(keys)).toEqual(eachOnce(keys));
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });

  it('and stays away: a worker that is asked to stop ends all the same', async () => {
    const worker = await stage.fork({ engine: { queueUrl: redis.url } });
    const keys = stage.keys(3);
    worker.send({ start: keys });
    await stage.finished(keys);
    await redis.kill();
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    await redis.start();
  });
});
