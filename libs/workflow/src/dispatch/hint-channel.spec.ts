import { randomUUID } from 'node:crypto';
import { type BullBackend, openBullBackend } from '@pawl/messaging';
import {
  describeWithOwnRedis,
  describeWithRedis,
  type RedisCluster,
  startPostgres,
  startRedis,
  startRedisCluster,
  testDatabase,
  type TestDatabase,
  testRedisUrl,
} from '@pawl/testing';
import { Redis } from 'ioredis';
import pg from 'pg';
import { BullHintChannel } from './bull-hint-channel.js';
import {
  hintChannelConformance,
  hintOutageConformance,
  queuedHintsConformance,
} from './hint-channel.conformance.js';
import type { Hint, HintChannel, HintHandler } from './hints.js';

/** Hints within one process, each to the next of its consumers. */
class ProcessHints implements HintChannel {
  private handler: HintHandler | undefined;

  constructor(private readonly handlers: HintHandler[]) {}

  async send(hints: readonly Hint[]): Promise<void> {
    for (const hint of hints) {
      const [next] = this.handlers;
      if (next === undefined) return;
      this.handlers.push(...this.handlers.splice(0, 1));
      void ('runId' in hint
        ? next.runs([hint.runId])
        : next.event({ workflow: hint.workflow, key: hint.key }));
    }
  }

  consume(handler: HintHandler): void {
    this.handler = handler;
    this.handlers.push(handler);
  }

  async pause(): Promise<void> {
    if (this.handler) this.handlers.splice(this.handlers.indexOf(this.handler), 1);
    this.handler = undefined;
  }

  async close(): Promise<void> {
    await this.pause();
  }
}

describe('within a process', () => {
  it.each(hintChannelConformance)('$promise', async ({ check }) => {
    const handlers: HintHandler[] = [];
    await check({ open: () => new ProcessHints(handlers) });
  });
});

describe('BullMQ on PostgreSQL', () => {
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    database = await testDatabase({ empty: true });
    client = new pg.Client(database.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  const bench = () =>
    benchOn(database.url, async (prefix, queue) => {
      const { rows } = await client.query<{ n: number }>(
        'select count(*)::int as n from bullmq.job where queue = $1',
        [`${prefix}.${queue}`],
      );
      return rows[0]?.n ?? 0;
    });
  const { run, close } = benches(bench);
  afterEach(close);
  it.each(hintChannelConformance)('$promise', run);
  it.each(queuedHintsConformance)('$promise', run);
});

describeWithRedis('BullMQ on Redis', () => {
  let redis: Redis;
  beforeAll(() => (redis = new Redis(testRedisUrl())));
  afterAll(() => redis.disconnect());

  const bench = () =>
    benchOn(testRedisUrl(), async (prefix, queue) => {
      const keys = await redis.keys(`${prefix}:${queue}:*`);
      // Names of jobs, not of the queue's own lists.
      return keys.filter((key) => /[0-9a-f-]{36}/.test(key.slice(prefix.length))).length;
    });
  const { run, close } = benches(bench);
  afterEach(close);
  it.each(hintChannelConformance)('$promise', run);
  it.each(queuedHintsConformance)('$promise', run);
});

describeWithOwnRedis('BullMQ on a Redis Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    const started = await startRedisCluster();
    if (!started) throw new Error('There is no Redis.');
    cluster = started;
  });
  afterAll(() => cluster?.stop());

  const { run, close } = benches(() => benchOn(cluster.url, async () => 0));
  afterEach(close);
  it.each(hintChannelConformance)('$promise', run);
});

describe('BullMQ on a PostgreSQL that dies', () => {
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

describeWithOwnRedis('BullMQ on a Redis that dies', () => {
  outages(async () => {
    const server = await startRedis();
    if (!server) throw new Error('There is no Redis.');
    return {
      url: server.url,
      kill: () => server.kill(),
      start: () => server.start(),
      stop: () => server.stop(),
    };
  });
});

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

  const bench = () => ({ ...benchOn(server.url, async () => 0), kill: server.kill, start: server.start });
  const { run, close } = benches(bench);
  afterEach(close);
  it.each(hintOutageConformance)('$promise', run, 60_000);
}

const QUEUE = 'hints-orders';

interface Closable {
  readonly close: () => Promise<void>;
}

/** Runs checks, each on a bench of its own, and closes the bench. */
function benches<Bench extends Closable>(
  make: () => Bench,
): { run: (check: { check: (bench: Bench) => Promise<void> }) => Promise<void>; close: () => Promise<void> } {
  const made: Bench[] = [];
  return {
    run: async ({ check }) => {
      const bench = make();
      made.push(bench);
      await check(bench);
    },
    close: async () => {
      await Promise.all(made.splice(0).map((bench) => bench.close()));
    },
  };
}

/** A queue of its own on a server. */
function benchOn(url: string, count: (prefix: string, queue: string) => Promise<number>) {
  const prefix = `t${randomUUID().slice(0, 8)}`;
  const backends: BullBackend[] = [];
  const channels: HintChannel[] = [];
  const backend = (): BullBackend => {
    const opened = openBullBackend(url, { prefix, poolMax: 4, closeTimeoutMs: 1_000 });
    backends.push(opened);
    return opened;
  };
  return {
    open: (): HintChannel => {
      const channel = new BullHintChannel(backend(), { queueName: QUEUE, concurrency: 4 });
      channels.push(channel);
      return channel;
    },
    forge: async (data: unknown): Promise<void> =>
      backend()
        .queue(QUEUE)
        .add([{ name: 'forged', id: `forged-${randomUUID()}`, data }]),
    kept: async () => count(prefix, QUEUE),
    close: async (): Promise<void> => {
      await Promise.all([...channels, ...backends].map(async (each) => each.close()));
    },
  };
}
