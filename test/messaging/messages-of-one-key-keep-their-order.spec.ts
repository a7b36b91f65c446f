import { randomInt, randomUUID } from 'node:crypto';
import {
  type Envelope,
  InMemoryBus,
  InMemoryTransport,
  type MessageConsumer,
  outgoing,
  route,
} from '@pawl/messaging';
import { forkService, testDatabase, until } from '@pawl/testing';
import {
  arriving,
  count,
  effectNumbers,
  effects,
  Noted,
  RecordingTransport,
  type TestService,
  testService,
  upTo,
} from './service-pair.js';
import { seeded, UnrulyTransport } from './unruly-transport.js';

const MESSAGES = 300;
const KEYS = 20;
const inOrder = route({ to: 'shipping', partitions: 2, order: 'key' });

describe('over a bus that loses, repeats and shuffles, to two receivers', () => {
  it('each key has its effects in the order of its commits', async () => {
    const seed = Number(process.env['PAWL_SEED'] ?? randomInt(2 ** 31));
    const random = seeded(seed);
    const bus = new InMemoryBus();
    const unruly = (): UnrulyTransport => new UnrulyTransport(new InMemoryTransport(bus), random);
    const orders = await testService({ name: 'orders', bus: unruly() });
    const first = await testService({ name: 'shipping', bus: unruly() });
    const second = await testService({ name: 'shipping', bus: unruly(), database: first.database });
    await first.dataSource.query('ALTER TABLE effect ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY');
    for (const { runtime } of [first, second]) runtime.consumers.register(['orders.noted'], effects());
    try {
      for (const { runtime } of [orders, first, second]) await runtime.start();
      await send(orders, upTo(MESSAGES));
      await until(async () => (await count(orders, 'pawl.outbox')) === 0, {
        what: `an empty outbox, seed ${seed}`,
        timeoutMs: 25_000,
      });
      await expectInOrder(first, MESSAGES, seed);
    } finally {
      for (const service of [orders, second, first]) await service.close();
    }
  });
});

it('also when a receiver dies in the middle of a batch', async () => {
  const queues = await testDatabase({ empty: true });
  const prefix = `t${randomUUID().slice(0, 8)}`;
  const orders = await testService({ name: 'orders', bus: queues.url, prefix });
  const shipping = await testService({ name: 'shipping', bus: queues.url, prefix });
  await shipping.dataSource.query('ALTER TABLE effect ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY');
  shipping.runtime.consumers.register(['orders.noted'], effects());
  try {
    await orders.runtime.start();
    await send(orders, upTo(2 * KEYS));
    const args = ['shipping', shipping.database.url, queues.url, prefix];
    const crashPoint = 'inbox.before-commit';
    const dying = forkService('test/messaging/fixtures/service-process.ts', { args, crashPoint });
    expect((await dying.exited).signal).toBe('SIGKILL');
    expect(dying.crashed()).toBe(true);
    await send(
      orders,
      upTo(2 * KEYS).map((n) => 2 * KEYS + n),
    );
    await shipping.runtime.start();
    await until(async () => (await count(orders, 'pawl.outbox')) === 0, { timeoutMs: 20_000 });
    await expectInOrder(shipping, 4 * KEYS);
  } finally {
    await orders.close();
    await shipping.close();
    await queues.drop();
  }
});

describe('the sender', () => {
  let orders: TestService;
  const sent = new RecordingTransport();
  beforeAll(async () => (orders = await testService({ name: 'orders', bus: sent })));
  afterAll(() => orders.close());

  it('names the number before, within a batch and among what is out, and none once all are acknowledged', async () => {
    await send(orders, [0, KEYS, 1, 2 * KEYS], 1);
    await orders.runtime.relay.pass();
    await send(orders, [3 * KEYS, KEYS + 1], 1);
    await orders.runtime.relay.pass();
    expect(links()).toEqual([
      [0, undefined],
      [KEYS, 0],
      [1, undefined],
      [2 * KEYS, 1],
      [3 * KEYS, 3],
      [KEYS + 1, 2],
    ]);
    await orders.dataSource.query('DELETE FROM pawl.outbox');
    await send(orders, [4 * KEYS], 1);
    await orders.runtime.relay.pass();
    expect(links().at(-1)).toEqual([4 * KEYS, undefined]);
  });

  function links(): [number, number | undefined][] {
    return sent.published.map(({ data, previous }: Envelope) => [(data as { n: number }).n, previous]);
  }
});

describe('the receiver', () => {
  let shipping: TestService;
  /** What each consumer was given, in that order. */
  let given: string[];
  /** Ids that the consumer of parcels leaves open. */
  let leaves: string[];

  beforeAll(async () => {
    shipping = await testService({ name: 'shipping', bus: new RecordingTransport() });
    const noting = (name: string): MessageConsumer => ({
      name,
      handle: async (envelopes) => {
        given.push(...envelopes.map(({ sequence }) => `${name} ${sequence}`));
        return envelopes.map(({ id }) => id).filter((id) => leaves.includes(id));
      },
    });
    shipping.runtime.consumers.register(['orders.parcel'], noting('parcels'));
    shipping.runtime.consumers.register(['orders.letter'], noting('letters'));
  });
  afterAll(() => shipping.close());
  beforeEach(async () => {
    [given, leaves] = [[], []];
    await shipping.dataSource.query('TRUNCATE pawl.inbox_stream, pawl.inbox_attempt');
  });

  it('keeps what came too early until the one before is closed, and its sender need not send it again', async () => {
    expect(await accept([parcel(1, 'a', 0), parcel(2, 'b')])).toEqual(['open', 'closed']);
    expect(await accept([parcel(0, 'a')])).toEqual(['closed']);
    await until(() => given.includes('parcels 1'));
    expect(given).toEqual(['parcels 2', 'parcels 0', 'parcels 1']);
    await until(async () => (await accept([parcel(1, 'a', 0)]))[0] === 'duplicate');
  });

  it('looks by itself, for another process may have closed the one before', async () => {
    await accept([parcel(1, 'a', 0)]);
    await shipping.dataSource.query(`UPDATE pawl.inbox_stream SET closed = '{[0,1)}'`);
    await until(() => given.includes('parcels 1'));
  });

  it('hands a batch over in order, to whatever consumers its messages go', async () => {
    const batch = [letter(3, 'a', 2), parcel(2, 'a', 1), letter(1, 'a', 0), parcel(0, 'a')];
    expect(await accept(batch)).toEqual(Array(4).fill('closed'));
    expect(given).toEqual(['parcels 0', 'letters 1', 'parcels 2', 'letters 3']);
  });

  it('does not commit what a consumer has handled although it left the one before open', async () => {
    const batch = [parcel(0, 'a'), parcel(1, 'a', 0), parcel(2, 'b')];
    leaves = [batch[0]?.id ?? ''];
    expect(await accept(batch)).toEqual(['open', 'open', 'closed']);
  });

  function parcel(sequence: number, subject: string, previous?: number, type = 'orders.parcel'): Envelope {
    return arriving(sequence, {
      type,
      subject,
      keyorder: 'hold',
      ...(previous === undefined ? {} : { previous }),
    });
  }

  function letter(sequence: number, subject: string, previous: number): Envelope {
    return parcel(sequence, subject, previous, 'orders.letter');
  }

  async function accept(envelopes: Envelope[]): Promise<string[]> {
    return shipping.runtime.inbox.accept(envelopes);
  }
});

/** Each message has had its effect once, and after the one before it of the same key. */
async function expectInOrder(shipping: TestService, messages: number, seed?: number): Promise<void> {
  expect(await effectNumbers(shipping)).toEqual(upTo(messages));
  const rows = (await shipping.dataSource.query('SELECT n FROM effect ORDER BY place')) as { n: number }[];
  for (const key of upTo(KEYS)) {
    const done = rows.map(({ n }) => n).filter((n) => n % KEYS === key);
    expect({ seed, key, done }).toEqual({ seed, key, done: done.toSorted((a, b) => a - b) });
  }
}

async function send(orders: TestService, numbers: number[], partitions?: number): Promise<void> {
  const to = partitions === undefined ? inOrder : route({ to: 'shipping', partitions, order: 'key' });
  const left = [...numbers];
  while (left.length > 0) {
    const batch = left
      .splice(0, 30)
      .map((n) => outgoing(Noted, new Noted(n), { route: to, key: `order-${n % KEYS}` }));
    await orders.runtime.transactions.run((tx) => orders.runtime.outbox.append(tx, batch));
  }
}
