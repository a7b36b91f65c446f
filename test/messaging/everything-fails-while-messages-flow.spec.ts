import { jest } from '@jest/globals';
import { statement } from '@pawl/core';
import { outgoing } from '@pawl/messaging';
import { migrate } from '@pawl/migrations';
import {
  describeWithOwnRedis,
  fastSettings,
  type ForkedService,
  forkService,
  memoryDirectory,
  type PostgresServer,
  startPostgres,
  startRedis,
  type TestDatabase,
  until,
} from '@pawl/testing';
import pg from 'pg';
import { count, effectNumbers, Noted, testService, type TestService, toShipping } from './service-pair.js';

// Starts servers and processes, on a machine that may be busy.
jest.setTimeout(240_000);

const PREFIX = 'chaos';
const BATCH = 10;
/** Messages that take effect between two disasters, so that each hits a service at work. */
const PROGRESS = 50;
/** Rows that the sender has waiting. */
const UNDER_WAY_MAX = 300;
const PATIENCE = { timeoutMs: 60_000 } as const;

interface Bus {
  readonly url: string;
  /** What befalls the bus alone. */
  readonly disasters: readonly (() => Promise<void>)[];
  readonly stop: () => Promise<void>;
}

describe('over BullMQ on PostgreSQL', () => {
  // The queues are on the server of the services: what befalls that befalls the bus.
  theyFlow(async (server) => ({
    url: await server.createDatabase('queues'),
    disasters: [],
    stop: async () => undefined,
  }));
});

describeWithOwnRedis('over BullMQ on Redis', () => {
  theyFlow(async () => {
    const redis = await startRedis();
    if (!redis) throw new Error('no Redis');
    const killed = async (): Promise<void> => {
      await redis.kill();
      await redis.start();
    };
    return { url: redis.url, disasters: [() => redis.flushAll(), killed], stop: () => redis.stop() };
  });
});

function theyFlow(startBus: (server: PostgresServer) => Promise<Bus>): void {
  it('each that was sent takes effect once, and no other', async () => {
    const server = await startPostgres({ settings: fastSettings, under: await memoryDirectory() });
    const bus = await startBus(server);
    const [orders, shipping] = [await service('orders', server, bus), await service('shipping', server, bus)];
    const processes = new Processes(bus.url, {
      orders: orders.database.url,
      shipping: shipping.database.url,
    });
    await orders.dataSource.query('CREATE TABLE sent (n integer NOT NULL)');
    const sending = new Sending(orders);
    try {
      const disasters = [
        () => processes.kill('shipping'),
        ...bus.disasters,
        () => server.restart({ mode: 'immediate' }),
        () => processes.kill('shipping', 'orders'),
      ];
      for (const disaster of disasters) {
        await progress(shipping);
        await disaster();
      }
      await progress(shipping);
      await sending.end();
      await until(async () => (await count(orders, 'pawl.outbox')) === 0, {
        what: 'an empty outbox',
        ...PATIENCE,
      });
      const sent = (await orders.dataSource.query('SELECT n FROM sent ORDER BY n')) as { n: number }[];
      expect(await effectNumbers(shipping)).toEqual(sent.map(({ n }) => n));
      expect(await count(shipping, 'pawl.dead_letter')).toBe(0);
      expect(await count(shipping, 'pawl.loss')).toBe(0);
    } finally {
      await sending.end();
      await processes.end();
      await Promise.all([orders.close(), shipping.close()]);
      await Promise.all([server.stop(), bus.stop()]);
    }
  });
}

/** The processes of both services: a killed one is replaced. */
class Processes {
  private readonly running = new Map<string, ForkedService>();

  constructor(
    private readonly bus: string,
    private readonly databases: Readonly<Record<'orders' | 'shipping', string>>,
  ) {
    this.start('orders');
    this.start('shipping');
  }

  async kill(...names: readonly ('orders' | 'shipping')[]): Promise<void> {
    for (const name of names) this.running.get(name)?.kill('SIGKILL');
    for (const name of names) {
      const { signal } = (await this.running.get(name)?.exited) ?? {};
      expect(signal).toBe('SIGKILL');
      this.start(name);
    }
  }

  async end(): Promise<void> {
    for (const each of this.running.values()) each.kill('SIGKILL');
    for (const each of this.running.values()) await each.exited;
  }

  private start(name: 'orders' | 'shipping'): void {
    const args = [name, this.databases[name], this.bus, PREFIX, '20'];
    this.running.set(name, forkService('test/messaging/fixtures/service-process.ts', { args }));
  }
}

/** Sends numbers until it is ended. What was sent stands in a table, written with the messages: a COMMIT may be lost with its answer. */
class Sending {
  private ended = false;
  private next = 1_000;
  private readonly done: Promise<void>;

  constructor(private readonly orders: TestService) {
    this.done = this.go();
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.done;
  }

  private async go(): Promise<void> {
    while (!this.ended) await until(() => this.send(), PATIENCE);
  }

  private async send(): Promise<boolean> {
    if ((await count(this.orders, 'pawl.outbox')) > UNDER_WAY_MAX) return this.ended;
    const numbers = Array.from({ length: BATCH }, () => this.next++);
    const { outbox, transactions } = this.orders.runtime;
    await transactions.run(async (tx) => {
      await tx.query(SENT, [numbers]);
      const messages = numbers.map((n) =>
        outgoing(Noted, new Noted(n), { route: toShipping, key: `order-${n}` }),
      );
      await outbox.append(tx, messages);
    });
    return true;
  }
}

const SENT = statement('test_sent', 'INSERT INTO sent SELECT * FROM unnest($1::integer[])');

/** A service that only writes and counts: its processes do the rest. */
async function service(name: string, server: PostgresServer, bus: Bus): Promise<TestService> {
  const database = await migrated(name, server);
  const started = await testService({ name, bus: bus.url, prefix: PREFIX, database });
  await started.dataSource.query('CREATE TABLE effect (id uuid NOT NULL, n integer NOT NULL)');
  return started;
}

async function migrated(name: string, server: PostgresServer): Promise<TestDatabase> {
  const url = await server.createDatabase(name);
  const client = new pg.Client(url);
  await client.connect();
  await migrate(client);
  await client.end();
  return { name, url, drop: async () => undefined };
}

async function progress(shipping: TestService): Promise<void> {
  const before = await until(async () => (await count(shipping, 'effect')) + 1, PATIENCE);
  await until(async () => (await count(shipping, 'effect')) >= before + PROGRESS, {
    what: 'progress',
    ...PATIENCE,
  });
}
