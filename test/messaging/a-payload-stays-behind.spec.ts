import { randomUUID } from 'node:crypto';
import {
  InMemoryBus,
  InMemoryTransport,
  type MessageConsumer,
  MessagingRuntime,
  outgoing,
  type Route,
  route,
} from '@pawl/messaging';
import { describeWithRedis, testRedisUrl, until } from '@pawl/testing';
import { Redis } from 'ioredis';
import { FeedService, SHIPPING_TOKEN } from './feed-service.js';
import { count, Noted, testService, type TestService } from './service-pair.js';

const MARKER = 'only-in-postgresql';
const LARGE = MARKER + 'ä'.repeat(50_000);
const byDefault = route({ to: 'shipping', partitions: 1 });
const always = route({ to: 'shipping', partitions: 1, claimCheckBytes: 0 });
const alwaysPulled = route({ to: 'shipping', partitions: 1, claimCheckBytes: 0, transport: 'feed' });

const services: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const service of services.splice(0).reverse()) await service.close();
});

describe('over memory', () => {
  let bus: InMemoryBus;
  let orders: FeedService;
  beforeEach(async () => {
    bus = new InMemoryBus();
    orders = await started({ transport: new InMemoryTransport(bus) });
  });

  it.each([
    ['is large', byDefault, LARGE],
    ['is small, where the route wants it', always, MARKER],
    ['is pulled', alwaysPulled, MARKER],
  ])('is fetched if it %s', async (_, to, text) => {
    const shipping = await reader({ bus, url: orders.url, pull: to.pulled });
    await send(orders, to, text);
    await until(() => shipping.texts.length === 1);
    expect(shipping.texts).toEqual([text]);
    await until(async () => (await orders.dataSource.query('SELECT 1 FROM pawl.outbox')).length === 0);
  });

  it('leaves its message open while it can not be had, and spends no attempt', async () => {
    const lost = await reader({ bus, url: 'http://127.0.0.1:9' });
    await send(orders, byDefault, LARGE);
    await until(() => lost.runtime.receiver.counts.messages > 1);
    expect([lost.texts, await count(lost, 'pawl.inbox_attempt')]).toEqual([[], 0]);
    await lost.runtime.stop();
    const found = await reader({ bus, url: orders.url, database: lost.database });
    await until(() => found.texts.length === 1);
    expect(found.texts).toEqual([LARGE]);
  });

  it('is not handed on if it is not what the message promised', async () => {
    await send(orders, always, MARKER);
    const set = async (text: string): Promise<unknown> =>
      orders.dataSource.query('UPDATE pawl.outbox SET payload = $1', [{ n: 1, text }]);
    await set('altered');
    const shipping = await reader({ bus, url: orders.url });
    await until(() => shipping.runtime.receiver.counts.messages > 1);
    expect(shipping.texts).toEqual([]);
    await set(MARKER);
    await until(() => shipping.texts.length === 1);
    expect(shipping.texts).toEqual([MARKER]);
  });
});

it('is refused at once where its receiver may not read the feed, and the error says what to do', async () => {
  const orders = await testService({ name: 'orders', bus: new InMemoryBus() });
  services.push(orders);
  const message = outgoing(Noted, { n: 1 }, { route: always, key: 'a' });
  const appended = orders.runtime.transactions.run((tx) => orders.runtime.outbox.append(tx, [message]));
  await expect(appended).rejects.toMatchObject({
    code: 'claim_check_unavailable',
    message: expect.stringContaining("feed: { tokens: { 'shipping': token } }"),
  });
});

describeWithRedis('over Redis', () => {
  it('is never in the queue', async () => {
    const [busUrl, prefix] = [testRedisUrl(), `t${randomUUID().slice(0, 8)}`];
    const orders = await started({ busUrl, prefix });
    const redis = new Redis(busUrl);
    try {
      // Somebody has to answer the question that comes before the first number.
      const shipping = await reader({ bus: busUrl, prefix, url: orders.url });
      await send(orders, byDefault, 'short');
      await until(() => shipping.texts.length === 1);
      await shipping.runtime.stop();
      await send(orders, byDefault, LARGE);
      await until(async () => (await contentOf(redis, prefix)).includes('/payloads/'));
      expect(await contentOf(redis, prefix)).not.toContain(MARKER);
      const successor = await reader({ bus: busUrl, prefix, url: orders.url, database: shipping.database });
      await until(() => successor.texts.length === 1);
      expect(successor.texts).toEqual([LARGE]);
    } finally {
      await redis.quit();
    }
  });
});

async function contentOf(redis: Redis, prefix: string): Promise<string> {
  const keys = await redis.keys(`*${prefix}*`);
  const hashes = await Promise.all(keys.map(async (key) => redis.hgetall(key).catch(() => ({}))));
  return JSON.stringify(hashes);
}

async function started(options: Parameters<typeof FeedService.start>[0]): Promise<FeedService> {
  const service = await FeedService.start(options);
  services.push(service);
  return service;
}

async function send(orders: FeedService, to: Route, text: string): Promise<void> {
  const message = outgoing(Noted, { n: 1, text } as Noted, { route: to, key: 'a' });
  const { transactions, outbox } = orders.application.get(MessagingRuntime);
  await transactions.run((tx) => outbox.append(tx, [message]));
}

interface ReaderOptions {
  readonly bus: InMemoryBus | string;
  readonly prefix?: string;
  readonly url: string;
  readonly pull?: boolean;
  readonly database?: TestService['database'];
}

/** A shipping service, and the texts that it was handed. */
async function reader({
  url,
  pull = false,
  ...rest
}: ReaderOptions): Promise<TestService & { texts: string[] }> {
  const feeds = [{ from: 'orders', url, token: SHIPPING_TOKEN, partitions: 1, pull }];
  const service = await testService({ name: 'shipping', feeds, ...rest });
  services.push(service);
  const texts: string[] = [];
  const consumer: MessageConsumer = {
    name: 'texts',
    handle: async (envelopes) => {
      texts.push(...envelopes.map(({ data }) => (data as { text: string }).text));
      return [];
    },
  };
  service.runtime.consumers.register(['orders.noted'], consumer);
  await service.runtime.start();
  return { ...service, texts };
}
