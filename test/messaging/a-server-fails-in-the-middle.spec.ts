import { jest } from '@jest/globals';
import { messageQueue } from '@pawl/messaging';
import { migrate } from '@pawl/migrations';
import {
  describeWithOwnRedis,
  type RedisServer,
  startPostgres,
  startRedis,
  testDatabase,
  until,
} from '@pawl/testing';
import pg from 'pg';
import {
  closedRanges,
  count,
  effectNumbers,
  effects,
  sendNumbers,
  testService,
  type TestService,
  upTo,
} from './service-pair.js';

jest.setTimeout(120_000);
const MESSAGES = 2_100;
/** Enough for a session of each partition. */
const FIRST = 100;
const DELIVERIES_PER_JOB_MAX = 50;

describeWithOwnRedis('a Redis', () => {
  let redis: RedisServer;
  let orders: TestService;
  let shipping: TestService;

  beforeEach(async () => {
    const started = await startRedis();
    if (!started) throw new Error('no Redis');
    redis = started;
    orders = await testService({ name: 'orders', bus: redis.url });
    shipping = await testService({ name: 'shipping', bus: redis.url });
    shipping.runtime.consumers.register(['orders.noted'], effects());
  });
  afterEach(async () => {
    await orders.close();
    await shipping.close();
    await redis.stop();
  });

  it('that is emptied with all messages published and none handled loses none', async () => {
    await Promise.all([orders.runtime.start(), shipping.runtime.start()]);
    await sendNumbers(orders, FIRST);
    await until(async () => (await count(orders, 'pawl.outbox')) === 0, { timeoutMs: 30_000 });
    await shipping.runtime.stop();
    await sendNumbers(orders, MESSAGES - FIRST, { from: FIRST });
    await until(async () => (await count(orders, 'pawl.outbox WHERE transmissions = 0')) === 0);
    const queue = orders.runtime.backend?.queue(messageQueue('shipping'));
    await until(async () => ((await queue?.waiting()) ?? 0) >= (MESSAGES - FIRST) / DELIVERIES_PER_JOB_MAX);
    await redis.flushAll();
    expect(await count(shipping, 'effect')).toBe(FIRST);

    const next = await testService({ name: 'shipping', bus: redis.url, database: shipping.database });
    next.runtime.consumers.register(['orders.noted'], effects());
    await next.runtime.start();
    await until(async () => (await count(shipping, 'effect')) > FIRST, { timeoutMs: 30_000 });
    await redis.flushAll();
    await atRest(orders, shipping);
    await next.close();
  });

  it('that dies and comes back empty loses no message', async () => {
    await orders.runtime.start();
    await shipping.runtime.start();
    const sending = sendNumbers(orders, MESSAGES);
    await until(async () => (await count(shipping, 'effect')) > 0, { timeoutMs: 30_000 });
    await redis.kill();
    await sending;
    await redis.start();
    await atRest(orders, shipping);
  });

  it('that is not there yet keeps nobody from starting or stopping', async () => {
    await redis.kill();
    await orders.runtime.start();
    await shipping.runtime.start();
    await sendNumbers(orders, 10);
    expect(await count(orders, 'pawl.outbox')).toBe(10);
    await orders.runtime.stop();
    await shipping.runtime.stop();
  });
});

describe('a PostgreSQL', () => {
  it('that crashes under the receiver loses nothing and does nothing twice', async () => {
    const [server, queues] = [await startPostgres(), await testDatabase({ empty: true })];
    const url = await server.createDatabase('shipping');
    await migrated(url);
    const orders = await testService({ name: 'orders', bus: queues.url });
    const shipping = await testService({
      name: 'shipping',
      bus: queues.url,
      database: { url, name: 'shipping', drop: async () => undefined },
    });
    await shipping.dataSource.query('CREATE TABLE effect (id uuid NOT NULL, n integer NOT NULL)');
    shipping.runtime.consumers.register(['orders.noted'], effects());
    await Promise.all([orders.runtime.start(), shipping.runtime.start()]);
    await sendNumbers(orders, MESSAGES);
    await until(async () => (await count(shipping, 'effect')) > 0, { timeoutMs: 30_000 });
    await server.restart({ mode: 'immediate' });
    await until(async () => (await count(shipping, 'effect')) > 0, { timeoutMs: 30_000 });
    await server.kill();
    await server.start();
    await atRest(orders, shipping);
    await orders.close();
    await shipping.close();
    await Promise.all([server.stop(), queues.drop()]);
  });
});

async function migrated(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await migrate(client);
  await client.end();
}

async function atRest(orders: TestService, shipping: TestService): Promise<void> {
  await until(async () => (await count(orders, 'pawl.outbox')) === 0, {
    what: 'an empty outbox',
    timeoutMs: 90_000,
  });
  expect(await effectNumbers(shipping)).toEqual(upTo(MESSAGES));
  for (const closed of await closedRanges(shipping)) expect(closed).toMatch(/^\{\[0,\d+\)\}$/);
}
