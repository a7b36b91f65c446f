import { setTimeout as pause } from 'node:timers/promises';
import { migrate } from '@pawl/migrations';
import { fastSettings, type PostgresServer, startPostgres } from '@pawl/testing';
import pg from 'pg';
import { eachOnce } from './account.js';
import { CrashStage } from './crash-stage.js';

describe('PostgreSQL restarts', () => {
  let server: PostgresServer;
  let stage: CrashStage;
  beforeAll(async () => {
    server = await startPostgres({ settings: fastSettings });
    const databaseUrl = await server.createDatabase('errands');
    const client = new pg.Client(databaseUrl);
    await client.connect();
    await migrate(client);
    await client.end();
    stage = await CrashStage.set({ databaseUrl });
  });
  afterAll(async () => {
    await stage.strike();
    await server.stop();
  });

  it('fast, at once and by SIGKILL, while 100 runs are under way: the worker lives on, and each effect is there once', async () => {
    stage.ledger.behave = async () => pause(50);
    const worker = await stage.fork({ engine: { concurrency: 4 } });
    const keys = stage.keys(100);
    worker.send({ start: keys });
    await stage.started(keys);
    await stage.finishedOf(keys, 20);
    await server.restart({ mode: 'fast' });
    await stage.finishedOf(keys, 45);
    await server.restart({ mode: 'immediate' });
    await stage.finishedOf(keys, 70);
    await server.kill();
    await server.start();
    await stage.finished(keys);
    expect(await stage.account(keys, { callsMax: 4 })).toEqual(eachOnce(keys));
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });
});
