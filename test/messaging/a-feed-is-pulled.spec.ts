import { type Delivery, InMemoryBus, InMemoryTransport } from '@pawl/messaging';
import { testDatabase, until } from '@pawl/testing';
import { FeedService, pulled, pushed, SHIPPING_TOKEN } from './feed-service.js';
import { count, effectNumbers, effects, testService, type TestService, upTo } from './service-pair.js';

let orders: FeedService;
let shipping: TestService;

afterEach(async () => {
  await shipping.close();
  await orders.close();
});

it('without any bus: each message takes effect once, in two processes of the reader, and nothing is left', async () => {
  orders = await FeedService.start();
  shipping = await reader();
  const twin = await reader({ database: shipping.database });
  try {
    await orders.send(upTo(120));
    await atRest(120);
    await orders.send(upTo(10).map((n) => 120 + n));
    await atRest(130);
    // One of the two pulled each partition.
    expect(
      await shipping.dataSource.query('SELECT sum(duplicates)::integer AS n FROM pawl.inbox_stream'),
    ).toEqual([{ n: 0 }]);
  } finally {
    await twin.close();
  }
});

it('beside a bus: what comes both ways is counted once', async () => {
  const bus = new InMemoryBus();
  const slow = new SlowTransport(bus);
  orders = await FeedService.start({ transport: slow });
  shipping = await reader({ bus });
  await orders.send(upTo(60), pushed);
  await orders.send(
    upTo(60).map((n) => 60 + n),
    pulled,
  );
  await atRest(120);
  await slow.deliverMessages();
  await until(async () => (await duplicates()) >= 60);
  await atRest(120);
});

it('goes on where it was when the sender comes back', async () => {
  orders = await FeedService.start();
  shipping = await reader();
  await orders.send(upTo(5));
  await atRest(5);
  const { port, database } = orders;
  await orders.stop();
  orders = await FeedService.start({ port, database });
  await orders.send(upTo(5).map((n) => 5 + n));
  await atRest(10);
});

async function reader({
  bus = new InMemoryBus(),
  database,
}: Partial<ReaderOptions> = {}): Promise<TestService> {
  const feeds = [{ from: 'orders', url: orders.url, token: SHIPPING_TOKEN, partitions: 1 }];
  const service = await testService({ name: 'shipping', bus, feeds, ...(database && { database }) });
  service.runtime.consumers.register(['orders.noted'], effects());
  await service.runtime.start();
  return service;
}

interface ReaderOptions {
  readonly bus: InMemoryBus;
  readonly database: Awaited<ReturnType<typeof testDatabase>>;
}

async function duplicates(): Promise<number> {
  const [row] = (await shipping.dataSource.query(
    'SELECT sum(duplicates)::integer AS n FROM pawl.inbox_stream',
  )) as { n: number }[];
  return row?.n ?? 0;
}

/** Keeps messages back until it is told, and everything else not. */
class SlowTransport extends InMemoryTransport {
  private readonly kept: Delivery[] = [];

  override async publish(destination: string, deliveries: readonly Delivery[]): Promise<void> {
    const isMessage = (delivery: Delivery): boolean => JSON.stringify(delivery).includes('specversion');
    this.kept.push(...deliveries.filter(isMessage));
    await super.publish(
      destination,
      deliveries.filter((delivery) => !isMessage(delivery)),
    );
  }

  async deliverMessages(): Promise<void> {
    await super.publish('shipping', this.kept.splice(0));
  }
}

async function atRest(messages: number): Promise<void> {
  await until(async () => (await effectNumbers(shipping)).length >= messages, {
    timeoutMs: 15_000,
    what: 'the effects',
  });
  await until(async () => (await orders.dataSource.query('SELECT 1 FROM pawl.outbox')).length === 0, {
    timeoutMs: 15_000,
    what: 'an empty outbox',
  });
  expect(await effectNumbers(shipping)).toEqual(upTo(messages));
  expect(await count(shipping, 'pawl.inbox_attempt')).toBe(0);
}
