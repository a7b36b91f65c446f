import { type Delivery, InMemoryBus, InMemoryTransport } from '@pawl/messaging';
import { until } from '@pawl/testing';
import {
  closedRanges,
  contentOf,
  count,
  effectNumbers,
  effects,
  sendNumbers,
  testService,
  type TestService,
  upTo,
} from './service-pair.js';

const MESSAGES = 200;
/** So that the process which stalls sends nothing again meanwhile. */
const SELDOM = { firstIntervalMs: 60_000, longestIntervalMs: 60_000 } as const;

let bus: InMemoryBus;
let stalled: Stalled;
let first: TestService;
let second: TestService;
let shipping: TestService;

beforeEach(async () => {
  bus = new InMemoryBus();
  stalled = new Stalled(bus);
  first = await testService({ name: 'orders', bus: stalled, limits: SELDOM });
  second = await testService({ name: 'orders', bus, database: first.database });
  shipping = await testService({ name: 'shipping', bus });
  shipping.runtime.consumers.register(['orders.noted'], effects());
  await Promise.all([first.runtime.start(), shipping.runtime.start()]);
  await sendNumbers(first, MESSAGES);
  await until(() => stalled.batch.length > 0, { what: 'a batch that is held' });
});
afterEach(async () => {
  stalled.goOn();
  await Promise.all([second.close(), shipping.close()]);
  await first.close();
});

it('and publishes it when all is acknowledged and gone: nothing changes', async () => {
  // Its interval goes by, and another process of the sender sends what the first one holds.
  await first.dataSource.query(`UPDATE pawl.outbox SET next_publish_at = now() WHERE sequence IS NOT NULL`);
  await first.dataSource.query(`UPDATE pawl.outbox_stream SET progressed_at = now() - interval '1 hour'`);
  await second.runtime.start();
  await sendNumbers(second, MESSAGES, { from: MESSAGES });
  await atRest();
  const [closed, before] = [await closedRanges(shipping), await counted('duplicates')];
  for (const { dataSource } of [first, shipping]) await dataSource.query('VACUUM');

  stalled.goOn();
  await until(async () => (await counted('duplicates')) >= before + stalled.batch.length);
  expect(await effectNumbers(shipping)).toEqual(upTo(2 * MESSAGES));
  expect(await closedRanges(shipping)).toEqual(closed);
  expect(await count(first, 'pawl.outbox')).toBe(0);
});

it('and publishes it when its service has begun a new incarnation: it is refused', async () => {
  // As after a restore: these rows were written on another state of the database. What the batch holds gets new numbers.
  await first.dataSource.query(`UPDATE pawl.outbox_stream SET storage = 'another'`);
  await second.runtime.start();
  await atRest();
  expect(await effectNumbers(shipping)).toEqual(upTo(MESSAGES));

  stalled.goOn();
  await until(async () => (await counted('refused')) >= stalled.batch.length);
  await sendNumbers(first, MESSAGES, { from: MESSAGES });
  await atRest();
  expect(await effectNumbers(shipping)).toEqual(upTo(2 * MESSAGES));
});

/** Holds the first batch of messages in memory until it may go on, like a process that was stopped between numbering and publishing. */
class Stalled extends InMemoryTransport {
  batch: readonly Delivery[] = [];
  goOn: () => void = () => undefined;
  private readonly resumed = new Promise<void>((resolve) => (this.goOn = resolve));

  override async publish(destination: string, deliveries: readonly Delivery[]): Promise<void> {
    if (this.batch.length === 0 && deliveries.some((each) => 'sequence' in contentOf(each))) {
      this.batch = deliveries;
      await this.resumed;
    }
    await super.publish(destination, deliveries);
  }
}

async function atRest(): Promise<void> {
  await until(async () => (await count(first, 'pawl.outbox')) === 0, { what: 'an empty outbox' });
}

async function counted(what: 'duplicates' | 'refused'): Promise<number> {
  const [row] = (await shipping.dataSource.query(
    `SELECT coalesce(sum(${what}), 0)::integer AS n FROM pawl.inbox_stream`,
  )) as { n: number }[];
  return row?.n ?? 0;
}
