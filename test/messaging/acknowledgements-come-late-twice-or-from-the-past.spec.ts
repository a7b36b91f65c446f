import { RangeSet } from '@pawl/core';
import type { Envelope, WireAcknowledgement } from '@pawl/messaging';
import {
  count,
  RECEIVER,
  RecordingTransport,
  sendNumbers,
  testService,
  type TestService,
} from './service-pair.js';

const OLDER_RECEIVER = '01990000-0000-7000-8000-00000000000b';
const NEWER_RECEIVER = '019b0000-0000-7000-8000-00000000000b';
const OTHER_INCARNATION = '019c0000-0000-7000-8000-00000000000c';

let bus: RecordingTransport;
let orders: TestService;
let sent: Envelope[];

beforeEach(async () => {
  bus = new RecordingTransport();
  orders = await testService({
    name: 'orders',
    bus,
    limits: { firstIntervalMs: 60_000, longestIntervalMs: 60_000 },
  });
  await sendNumbers(orders, 40);
  while ((await orders.runtime.relay.pass()) > 0);
  sent = bus.published.filter(({ partition }) => partition === 0);
});
afterEach(() => orders.close());

it('what is acknowledged is deleted, whatever the order and however often', async () => {
  const [all, some] = [RangeSet.upTo(sent.length), RangeSet.upTo(3)];
  await receive(acknowledge(some), acknowledge(some));
  expect(await unacknowledged()).toEqual({ rows: sent.length - 3, counted: sent.length - 3 });
  await receive(acknowledge(all), acknowledge(some));
  await receive(acknowledge(some));
  expect(await unacknowledged()).toEqual({ rows: 0, counted: 0 });
});

it('ranges beyond a gap count, and the gap stays', async () => {
  await receive(acknowledge(RangeSet.parse(`{[0,2),[3,${sent.length})}`)));
  expect(await unacknowledged()).toEqual({ rows: 1, counted: 1 });
  await receive(acknowledge(RangeSet.upTo(sent.length)));
  expect(await unacknowledged()).toEqual({ rows: 0, counted: 0 });
});

it('one for numbers of another incarnation deletes nothing', async () => {
  await receive({ ...acknowledge(RangeSet.upTo(3)), incarnation: OTHER_INCARNATION });
  expect([await unacknowledged(), await ignored()]).toEqual([{ rows: sent.length, counted: sent.length }, 1]);
});

it('an old one of a receiver that was set back since deletes nothing', async () => {
  await receive({ ...acknowledge(RangeSet.upTo(5)), receiver: OLDER_RECEIVER });
  expect([await unacknowledged(), await ignored()]).toEqual([{ rows: sent.length, counted: sent.length }, 1]);
});

it('one of a receiver that no session is open with deletes nothing, also beside one that does', async () => {
  await receive(
    { ...acknowledge(RangeSet.upTo(5)), receiver: NEWER_RECEIVER },
    acknowledge(RangeSet.upTo(1)),
  );
  expect([await unacknowledged(), await ignored()]).toEqual([
    { rows: sent.length - 1, counted: sent.length - 1 },
    1,
  ]);
});

it('one for a partition or a service that sent nothing is no harm', async () => {
  await receive({ ...acknowledge(RangeSet.upTo(1)), partition: 77 });
  await receive({ ...acknowledge(RangeSet.upTo(1)), stream: 'billing.shipping' });
  expect(await unacknowledged()).toEqual({ rows: sent.length, counted: sent.length });
  expect(orders.runtime.receiver.counts).toMatchObject({ acknowledgements: 1, misrouted: 1 });
});

it('many at once, in two processes, do not stand in each other’s way', async () => {
  const other = await testService({
    name: 'orders',
    bus: new RecordingTransport(),
    database: orders.database,
  });
  const each = bus.published.map((envelope) => ({
    ...acknowledge(RangeSet.of(envelope.sequence)),
    partition: envelope.partition,
    incarnation: envelope.incarnation,
  }));
  await Promise.all(
    [orders, other].flatMap(({ runtime }) =>
      [each, each.toReversed()].map((batch) =>
        runtime.receiver.receive(
          batch.map((acknowledgement) => ({ acknowledgement })),
          false,
        ),
      ),
    ),
  );
  await other.close();
  expect(await count(orders, 'pawl.outbox')).toBe(0);
});

function acknowledge(closed: RangeSet): WireAcknowledgement {
  const { stream, partition, incarnation } = sent[0] as Envelope;
  return { stream, partition, incarnation, receiver: RECEIVER, closed: closed.toRanges() };
}

async function receive(...acknowledgements: WireAcknowledgement[]): Promise<void> {
  await orders.runtime.receiver.receive(
    acknowledgements.map((acknowledgement) => ({ acknowledgement })),
    false,
  );
}

async function unacknowledged(): Promise<{ rows: number; counted: number }> {
  const [stream] = (await orders.dataSource.query(
    'SELECT unacknowledged AS counted FROM pawl.outbox_stream WHERE partition = 0',
  )) as { counted: number }[];
  return { rows: await count(orders, 'pawl.outbox WHERE partition = 0'), counted: stream?.counted ?? -1 };
}

async function ignored(): Promise<number> {
  const [stream] = (await orders.dataSource.query(
    'SELECT ignored_acknowledgements::integer AS n FROM pawl.outbox_stream WHERE partition = 0',
  )) as { n: number }[];
  return stream?.n ?? -1;
}
