import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@pawl/testing';
import type { Cleanup } from './cleanup.js';
import { HintThief } from './hint-thief.js';
import type { DemoOptions } from './options.js';
import { checkRedis, removeKeys } from './redis-keys.js';
import { Stage } from './stage.js';
import type { StageUrls } from './stage.js';

/** Two services and the courier have pools of their own, for their database and for the queues. */
const CONNECTIONS_MAX = '200';

export interface OpenStageOptions extends Pick<DemoOptions, 'redis' | 'rescueEveryMs' | 'dropHints'> {
  /** With it, a courier that repeats and shuffles stands between the services; else messages go straight. */
  readonly courierSeed: string | undefined;
}

/**
 * Starts everything a demo needs: the database server (stock settings: what is committed is on disk), a database for each
 * service and one for the queues, and the processes. What ends each is in `cleanup` before the next begins.
 */
export async function openStage(options: OpenStageOptions, cleanup: Cleanup): Promise<Stage> {
  const prefix = `pawl-demo-${randomBytes(4).toString('hex')}`;
  if (options.redis !== undefined) await useRedis(options.redis, prefix, cleanup);
  let stage: Stage | undefined;
  const directory = await cleanup.open(makeDirectory, async (path) => {
    if (!stage?.keepsFiles) await rm(path, { recursive: true, force: true });
  });
  const urls = await openDatabases(options.redis, cleanup);
  const thief = options.dropHints ? await openThief(urls.queues, prefix, cleanup) : undefined;
  const opened = (stage = new Stage({ ...options, directory, urls, prefix, thief }));
  cleanup.add(() => opened.close());
  await opened.open();
  return opened;
}

async function useRedis(url: string, prefix: string, cleanup: Cleanup): Promise<void> {
  await checkRedis(url);
  cleanup.add(() => removeKeys(url, prefix));
}

async function openThief(url: string, prefix: string, cleanup: Cleanup): Promise<HintThief> {
  return cleanup.open(
    () => HintThief.open(url, prefix),
    (thief) => thief.close(),
  );
}

async function makeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'pawl-demo-'));
}

async function openDatabases(redis: string | undefined, cleanup: Cleanup): Promise<StageUrls> {
  const postgres = await cleanup.open(
    () => startPostgres({ settings: { max_connections: CONNECTIONS_MAX } }),
    (server) => server.stop(),
  );
  const create = (name: string): Promise<string> => postgres.createDatabase(name);
  const [orders, shipping] = [await create('orders'), await create('shipping')];
  return { orders, shipping, queues: redis ?? (await create('queues')) };
}
