import {
  describeWithOwnRedis,
  describeWithRedis,
  startPostgres,
  startRedis,
  startRedisCluster,
  testDatabase,
  testRedisUrl,
  until,
} from '@pawl/testing';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { type BullBackend, type BullBackendOptions, openBullBackend } from './bull-backend.js';
import type { NewJob } from './bull-queue.js';
import type { ReceivedJob } from './bull-worker.js';

const opened: BullBackend[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((backend) => backend.close()));
});

describe('a URL', () => {
  it.each([
    ...['http://localhost', 'localhost:6379', ''],
    ...['redis-cluster://', 'redis-cluster://one:7000,two:7000', 'redis-cluster://one:7000?node=two:port'],
  ])('that names no bus is refused: %s', (url) => {
    expect(() => openBullBackend(url)).toThrow(expect.objectContaining({ code: 'bus_url_invalid' }));
  });

  it('with a prefix that could be a pattern is refused', () => {
    expect(() => openBullBackend('redis://localhost', { prefix: 'a:*' })).toThrow(
      expect.objectContaining({ code: 'bus_prefix_invalid' }),
    );
  });
});

describeWithOwnRedis('BullMQ on a Redis that dies', () => {
  outages(async () => {
    const server = await startRedis();
    if (!server) throw new Error('no Redis');
    return {
      url: server.url,
      kill: () => server.kill(),
      start: () => server.start(),
      stop: () => server.stop(),
    };
  });
});

describeWithOwnRedis('BullMQ on a Redis Cluster', () => {
  it('goes on by itself after all masters have died and come again', async () => {
    const cluster = await startRedisCluster();
    if (!cluster) throw new Error('no Redis');
    try {
      await goesOnAfterDeath(cluster);
    } finally {
      await Promise.all(opened.splice(0).map((backend) => backend.close()));
      await cluster.stop();
    }
  });
});

describe('BullMQ on PostgreSQL', () => {
  let queues: Awaited<ReturnType<typeof testDatabase>>;
  beforeAll(async () => (queues = await testDatabase({ empty: true })));
  afterAll(() => queues.drop());
  sharedPromises(() => queues.url);
  outages(async () => {
    const server = await startPostgres();
    return {
      url: server.url(),
      kill: () => server.kill(),
      start: () => server.start(),
      stop: () => server.stop(),
    };
  });
});

describeWithRedis('BullMQ on Redis', () => {
  sharedPromises(testRedisUrl);

  it('hands out a job whose content was evicted as an empty one', async () => {
    const prefix = `t${randomUUID().slice(0, 8)}`;
    const backend = open(testRedisUrl(), { prefix });
    await backend.queue('hints').add([job('evicted')]);
    const redis = new Redis(testRedisUrl());
    await redis.del(`${prefix}:hints:evicted`);
    redis.disconnect();
    const received: ReceivedJob[] = [];
    backend.worker('hints', async (each) => void received.push(each));
    await until(() => received.length === 1);
    expect(received[0]).toMatchObject({ id: 'evicted', data: {} });
  });
});

function sharedPromises(url: () => string): void {
  it('adds jobs that a worker gets, once each', async () => {
    const prefix = `t${randomUUID().slice(0, 8)}`;
    const ids: string[] = [];
    open(url(), { prefix }).worker('hints', async ({ id }) => void ids.push(id));
    await open(url(), { prefix })
      .queue('hints')
      .add([job('a'), job('b'), job('c')]);
    await until(() => ids.length === 3);
    expect(ids.sort()).toEqual(['a', 'b', 'c']);
  });

  it('runs as many jobs at a time as it was told', async () => {
    const prefix = `t${randomUUID().slice(0, 8)}`;
    const backend = open(url(), { prefix });
    const gate: (() => void)[] = [];
    backend.worker('hints', () => new Promise<void>((done) => gate.push(done)), { concurrency: 3 });
    await backend.queue('hints').add([job('a'), job('b'), job('c'), job('d')]);
    await until(() => gate.length === 3);
    expect(await backend.queue('hints').waiting()).toBe(1);
    gate.shift()?.();
    await until(() => gate.length === 3);
    for (const done of gate) done();
  });

  it('leaves nothing behind of jobs that are done or failed, so that an id may come again', async () => {
    const prefix = `t${randomUUID().slice(0, 8)}`;
    const backend = open(url(), { prefix });
    let runs = 0;
    backend.worker('hints', async () => {
      if (++runs === 1) throw new Error('first');
    });
    for (const expected of [1, 2, 3]) {
      // The worker has had it, but may not have removed it yet: added until it comes.
      await until(async () => {
        if (runs < expected) await backend.queue('hints').add([job('same')]);
        return runs >= expected;
      });
    }
  });

  it('keeps prefixes apart', async () => {
    const [one, two] = [`t${randomUUID().slice(0, 8)}`, `t${randomUUID().slice(0, 8)}`];
    await open(url(), { prefix: one })
      .queue('hints')
      .add([job('a')]);
    expect(await open(url(), { prefix: two }).queue('hints').waiting()).toBe(0);
  });
}

interface Server {
  readonly url: string;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

function outages(startServer: () => Promise<Server>): void {
  let server: Server;
  beforeAll(async () => (server = await startServer()));
  afterAll(() => server.stop());
  beforeEach(() => server.start());

  it('opens while the server is away, refuses jobs, and works when it has come', async () => {
    await server.kill();
    const backend = open(server.url);
    const ids: string[] = [];
    backend.worker('boot', async ({ id }) => void ids.push(id));
    const queue = backend.queue('boot');
    await expect(queue.add([job('early')])).rejects.toMatchObject({ code: 'transport_unavailable' });
    await server.start();
    await until(
      async () => {
        await queue.add([job(randomUUID())]);
        return ids.length > 0;
      },
      { timeoutMs: 20_000 },
    );
    expect(ids).not.toContain('early');
  });

  it('goes on by itself after the server has died and come again', () => goesOnAfterDeath(server));

  it('closes in a bounded time while the server is away, also if it never was there', async () => {
    const used = open(server.url, { closeTimeoutMs: 500 });
    const ids: string[] = [];
    used.worker('closing', async ({ id }) => void ids.push(id));
    await until(async () => {
      await used.queue('closing').add([job(randomUUID())]);
      return ids.length > 0;
    });
    await server.kill();
    const unused = open(server.url, { closeTimeoutMs: 500 });
    unused.worker('closing', async () => undefined);
    await Promise.all([used.close(), unused.close()]);
  });
}

async function goesOnAfterDeath(server: Omit<Server, 'stop'>): Promise<void> {
  const backend = open(server.url);
  const ids: string[] = [];
  backend.worker('later', async ({ id }) => void ids.push(id), { watchdogMs: 500 });
  const queue = backend.queue('later');
  await until(async () => {
    await queue.add([job(randomUUID())]);
    return ids.length > 0;
  });
  await server.kill();
  await expect(queue.add([job(randomUUID())])).rejects.toMatchObject({ code: 'transport_unavailable' });
  await server.start();
  const before = ids.length;
  await until(
    async () => {
      await queue.add([job(randomUUID())]);
      return ids.length > before;
    },
    { timeoutMs: 20_000 },
  );
}

function open(url: string, options: BullBackendOptions = {}): BullBackend {
  const backend = openBullBackend(url, options);
  opened.push(backend);
  return backend;
}

function job(id: string): NewJob {
  return { name: 'hint', id, data: { id } };
}
