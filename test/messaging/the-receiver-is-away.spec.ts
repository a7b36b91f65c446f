import { RangeSet } from '@pawl/core';
import type { Delivery, Envelope } from '@pawl/messaging';
import { count, RecordingTransport, sendNumbers, testService, type TestService } from './service-pair.js';

const WINDOW = 10;
const FIRST_MS = 10_000;
const RECEIVER = '019a0000-0000-7000-8000-00000000000b';

let bus: RecordingTransport & { waiting?: number };
let orders: TestService;

beforeEach(async () => {
  bus = new RecordingTransport();
  const limits = { window: WINDOW, firstIntervalMs: FIRST_MS, longestIntervalMs: 8 * FIRST_MS };
  orders = await testService({ name: 'orders', bus, limits });
});
afterEach(() => orders.close());

it('no more than the window of each partition is out, and acknowledgements open it', async () => {
  await sendNumbers(orders, 200);
  await relay();
  expect(bus.published).toHaveLength(4 * WINDOW);
  expect(await count(orders, 'pawl.outbox WHERE sequence IS NULL')).toBe(200 - 4 * WINDOW);
  await relay();
  expect(bus.published).toHaveLength(4 * WINDOW);

  await acknowledge(0, RangeSet.upTo(3).add(7));
  await relay();
  const next = bus.published.slice(4 * WINDOW);
  expect(next.map(({ partition, sequence }) => [partition, sequence])).toEqual(
    [10, 11, 12, 13].map((n) => [0, n]),
  );
});

it('what is out is sent again at growing intervals, up to the longest', async () => {
  await sendNumbers(orders, 1);
  await relay();
  for (const interval of [1, 2, 4, 8, 8]) {
    expect(await intervalsAhead()).toEqual([interval]);
    await orders.runtime.retransmitter.pass();
    await passTime();
    await orders.runtime.retransmitter.pass();
  }
  expect(bus.published.map(({ transmission }) => transmission)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(new Set(bus.published.map(({ id, sequence }) => `${id} ${sequence}`)).size).toBe(1);
});

it('while acknowledgements come, only what they have overtaken is sent again', async () => {
  await sendNumbers(orders, 100);
  await relay();
  const before = bus.published.length;
  await acknowledge(1, RangeSet.of(4));
  await passTime({ streams: false });
  await orders.runtime.retransmitter.pass();
  expect(again(before)).toEqual([0, 1, 2, 3].map((n) => [1, n]));
});

it('nothing is repeated while its queue is long', async () => {
  await sendNumbers(orders, 1);
  await relay();
  await passTime();
  let backlog = 1_000_000;
  bus.backlog = async () => backlog;
  await orders.runtime.retransmitter.pass();
  expect(bus.published).toHaveLength(1);
  backlog = 0;
  await orders.runtime.retransmitter.pass();
  expect(bus.published).toHaveLength(2);
});

it('a bus that takes nothing is tried with one message at a time, and loses no interval', async () => {
  await sendNumbers(orders, 50);
  await relay();
  await passTime();
  const working = bus.publish.bind(bus);
  const tried: number[] = [];
  bus.publish = async (_: string, deliveries: readonly Delivery[]) => {
    tried.push(deliveries.length);
    throw new Error('away');
  };
  for (let n = 0; n < 3; n++) {
    await expect(orders.runtime.retransmitter.pass()).rejects.toThrow('away');
    await passTime();
  }
  expect(tried).toEqual([expect.any(Number), 1, 1]);
  bus.publish = working;
  while ((await orders.runtime.retransmitter.pass()) > 0);
  expect(Math.max(...bus.published.map(({ transmission }) => transmission))).toBe(2);
});

async function relay(): Promise<void> {
  while ((await orders.runtime.relay.pass()) > 0);
}

async function acknowledge(partition: number, closed: RangeSet): Promise<void> {
  const { stream, incarnation } = bus.published.find((each) => each.partition === partition) as Envelope;
  const acknowledgement = { stream, partition, incarnation, receiver: RECEIVER, closed: closed.toRanges() };
  await orders.runtime.receiver.receive([{ acknowledgement }], false);
}

/** As if the longest interval had gone by. */
async function passTime({ streams = true } = {}): Promise<void> {
  await orders.dataSource.query(
    `UPDATE pawl.outbox SET next_publish_at = next_publish_at - interval '1 hour'`,
  );
  if (streams) {
    await orders.dataSource.query(
      `UPDATE pawl.outbox_stream SET progressed_at = progressed_at - interval '1 hour'`,
    );
  }
}

/** How far ahead the next publish of each row is, in first intervals. */
async function intervalsAhead(): Promise<number[]> {
  const rows = (await orders.dataSource.query(
    `SELECT ceil(extract(epoch FROM next_publish_at - clock_timestamp()) * 1000 / $1)::integer AS n FROM pawl.outbox`,
    [FIRST_MS],
  )) as { n: number }[];
  return rows.map(({ n }) => n);
}

function again(from: number): number[][] {
  return bus.published
    .slice(from)
    .map(({ partition, sequence }) => [partition, sequence])
    .sort(([, a = 0], [, b = 0]) => a - b);
}
