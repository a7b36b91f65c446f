import { PawlError } from '@pawl/core';
import { InMemoryBus } from '@pawl/messaging';
import { migrate } from '@pawl/migrations';
import { redisRemedy, startPostgres, startRedis, type TestDatabase } from '@pawl/testing';
import pg from 'pg';
import type { Bus } from './soak-options.js';

export interface SoakServers {
  readonly bus: InMemoryBus | string;
  readonly databases: { readonly orders: TestDatabase; readonly shipping: TestDatabase };
  stop(): Promise<void>;
}

/** By default a database is looked at once a minute; until then dead rows are kept, at 2,000 messages a second some 60 MB. */
const SETTINGS = { autovacuum_naptime: '5s' } as const;

/**
 * A PostgreSQL as it comes but for its vacuum, so that each commit reaches the disk, with a database per service, and what the bus needs.
 * @throws PawlError `redis_missing`
 */
export async function startSoakServers(bus: Bus): Promise<SoakServers> {
  const redis = bus === 'redis' ? await startRedis() : undefined;
  if (bus === 'redis' && redis === undefined) {
    throw new PawlError('redis_missing', `There is no Redis here: ${redisRemedy}, or take another --bus.`);
  }
  const postgres = await startPostgres({ settings: SETTINGS });
  const database = async (name: string): Promise<TestDatabase> => {
    const url = await postgres.createDatabase(name);
    await migrated(url);
    return { name, url, drop: async () => undefined };
  };
  const databases = { orders: await database('orders'), shipping: await database('shipping') };
  const queues = bus === 'postgres' ? await postgres.createDatabase('queues') : undefined;
  return {
    bus: redis?.url ?? queues ?? new InMemoryBus(),
    databases,
    stop: async () => {
      await Promise.all([postgres.stop(), redis?.stop()]);
    },
  };
}

async function migrated(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await migrate(client);
  await client.end();
}
