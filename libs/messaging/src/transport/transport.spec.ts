import {
  describeWithOwnRedis,
  describeWithRedis,
  type RedisCluster,
  startRedisCluster,
  testDatabase,
  testRedisUrl,
} from '@pawl/testing';
import { randomUUID } from 'node:crypto';
import { openBullBackend } from './bull-backend.js';
import { BullTransport } from './bull-transport.js';
import { InMemoryBus, InMemoryTransport } from './in-memory-transport.js';
import { transportConformance } from './transport.conformance.js';
import type { Transport } from './transport.js';

describe('in memory', () => {
  it.each(transportConformance)('$promise', async ({ check }) => {
    const bus = new InMemoryBus();
    await check(() => new InMemoryTransport(bus));
  });
});

describe('BullMQ on PostgreSQL', () => {
  let queues: Awaited<ReturnType<typeof testDatabase>>;
  beforeAll(async () => (queues = await testDatabase({ empty: true })));
  afterAll(() => queues.drop());

  it.each(transportConformance)('$promise', ({ check }) => checkBull(queues.url, check));
});

describeWithRedis('BullMQ on Redis', () => {
  it.each(transportConformance)('$promise', ({ check }) => checkBull(testRedisUrl(), check));
});

describeWithOwnRedis('BullMQ on a Redis Cluster of three masters', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    const started = await startRedisCluster();
    if (!started) throw new Error('no Redis');
    cluster = started;
  });
  afterAll(() => cluster?.stop());

  it.each(transportConformance)('$promise', ({ check }) => checkBull(cluster.url, check));
});

async function checkBull(url: string, check: (open: () => Transport) => Promise<void>): Promise<void> {
  const prefix = `t${randomUUID().slice(0, 8)}`;
  const closing: (() => Promise<void>)[] = [];
  const open = (): Transport => {
    const backend = openBullBackend(url, { prefix, poolMax: 6 });
    const transport = new BullTransport(backend);
    closing.push(async () => {
      await transport.close();
      await backend.close();
    });
    return transport;
  };
  try {
    await check(open);
  } finally {
    await Promise.all(closing.map((close) => close()));
  }
}
