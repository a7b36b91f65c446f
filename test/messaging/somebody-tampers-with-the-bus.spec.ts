import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import {
  BullTransport,
  type Delivery,
  InMemoryBus,
  InMemoryTransport,
  KeyRing,
  type MessageKey,
  openBullBackend,
  type RefusalReason,
  seal,
  type SealedDelivery,
} from '@pawl/messaging';
import { describeWithRedis, testKeys, testRedisUrl, until } from '@pawl/testing';
import { Redis } from 'ioredis';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  arriving,
  count,
  effectNumbers,
  effects,
  sendNumbers,
  testService,
  type TestService,
  upTo,
} from './service-pair.js';

const BILLING: MessageKey = { id: 'b', secret: newSecret(), peer: 'billing' };
let bus: InMemoryBus;
let shipping: TestService;

beforeAll(async () => {
  bus = new InMemoryBus();
  shipping = await testService({ name: 'shipping', bus, keys: [...testKeys, BILLING] });
  shipping.runtime.consumers.register(['orders.noted'], effects());
  await shipping.runtime.start();
});
afterAll(() => shipping.close());

describe('what is not signed as it should be is refused, counted by reason, and stored nowhere', () => {
  it.each<[string, RefusalReason, unknown]>([
    ['no signature', 'unsigned', arriving(0)],
    ['a ghost', 'unsigned', {}],
    ['one whose body is no text', 'unsigned', { ...sealed(), body: arriving(0) }],
    ['a key of another name', 'unknown_key', sealed({ keys: [{ id: 'other', secret: newSecret() }] })],
    [
      'another secret under that name',
      'bad_signature',
      sealed({ keys: [{ id: 'test', secret: newSecret() }] }),
    ],
    ['a body that was altered', 'bad_signature', altered()],
    ['a body that is no JSON any more', 'bad_signature', { ...sealed(), body: '{' }],
    ['one for another service', 'wrong_receiver', sealed({ to: 'billing' })],
    [
      'one for another service, addressed anew',
      'bad_signature',
      { ...sealed({ to: 'billing' }), to: 'shipping' },
    ],
    [
      'one in the name of another service',
      'bad_signature',
      { ...sealed({ from: 'billing' }), from: 'orders' },
    ],
    ['one of a key for another peer', 'unknown_key', sealed({ keys: [{ id: 'b', secret: BILLING.secret }] })],
    [
      'one of another service that speaks for orders',
      'foreign_stream',
      sealed({ from: 'billing', keys: [{ id: 'b', secret: BILLING.secret }] }),
    ],
  ])('%s', async (_, reason, delivery) => {
    const { refused } = shipping.runtime.receiver.counts;
    const before = refused[reason];
    await put(delivery);
    await until(() => refused[reason] === before + 1);
    expect(await count(shipping, 'pawl.inbox_stream')).toBe(0);
    expect(await count(shipping, 'pawl.dead_letter')).toBe(0);
    expect(await count(shipping, 'effect')).toBe(0);
  });

  it('nor a question of a stream of others, behind a stream of its own', async () => {
    const incarnation = '7fffffff-ffff-7fff-bfff-ffffffffffff';
    const question = { stream: 'orders.shipping', partition: 0, incarnation, nonce: randomUUID() };
    const forged = { stream: 'billing.shipping', question: { ...question, acknowledged: [], gone: [] } };
    const ring = new KeyRing('billing', [{ id: 'b', secret: BILLING.secret }]);
    const { counts } = shipping.runtime.receiver;
    const before = counts.garbage;
    await put(seal(forged as unknown as Delivery, ring, { from: 'billing', to: 'shipping' }));
    await until(() => counts.garbage === before + 1);
    expect(counts.sessions).toBe(0);
    expect(await count(shipping, 'pawl.inbox_stream')).toBe(0);
  });

  it('with one line in the log for all of a reason', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const { refused } = shipping.runtime.receiver.counts;
    const before = refused.bad_signature;
    await put(...upTo(200).map(altered));
    await until(() => refused.bad_signature === before + 200);
    const lines = warn.mock.calls.filter(([line]) => String(line).includes('bad_signature'));
    warn.mockRestore();
    expect(lines.length).toBeLessThanOrEqual(1);
  });
});

it('a valid message that is sent again is a duplicate, however old its signature is', async () => {
  const delivery = sealed();
  await put(delivery, delivery);
  await until(async () => (await effectNumbers(shipping)).length === 1);
  await put({ ...delivery });
  await until(async () => (await duplicates()) >= 1);
  expect(await effectNumbers(shipping)).toEqual([0]);
});

describe('keys are changed while messages are on their way', () => {
  it('and each arrives once', async () => {
    const [old, fresh] = [newSecret(), newSecret()].map((secret, n) => ({ id: `k${n}`, secret }));
    const steps = [
      { orders: [old], shipping: [old] },
      { orders: [old, fresh], shipping: [old, fresh] },
      { orders: [fresh, old], shipping: [fresh, old] },
      { orders: [fresh], shipping: [fresh] },
    ] as { orders: MessageKey[]; shipping: MessageKey[] }[];
    const own = new InMemoryBus();
    const first = await pair(own, steps[0] ?? { orders: [], shipping: [] });
    let current = first;
    for (const [n, keys] of steps.entries()) {
      await sendNumbers(current.orders, 20, { from: 20 * n });
      if (n === 0) continue;
      await Promise.all([current.orders.runtime.stop(), current.shipping.runtime.stop()]);
      if (current !== first) await Promise.all([current.orders.close(), current.shipping.close()]);
      current = await pair(own, keys, first);
    }
    await until(async () => (await count(first.orders, 'pawl.outbox')) === 0);
    expect(await effectNumbers(first.shipping)).toEqual(upTo(20 * steps.length));
    await Promise.all([current.orders.close(), current.shipping.close()]);
    await Promise.all([first.orders.close(), first.shipping.close()]);
  });
});

describeWithRedis('jobs in Redis are edited by hand', () => {
  it('and what was altered is refused, comes again, and takes effect once', async () => {
    const prefix = `t${randomUUID().slice(0, 8)}`;
    const redis = new Redis(testRedisUrl());
    const orders = await testService({ name: 'orders', bus: testRedisUrl(), prefix });
    const receiver = await testService({ name: 'shipping', bus: testRedisUrl(), prefix });
    receiver.runtime.consumers.register(['orders.noted'], effects());
    // Two forgeries of what orders is about to send, under the numbers that it will give, and then somebody edits the jobs.
    const backend = openBullBackend(testRedisUrl(), { prefix });
    const transport = new BullTransport(backend);
    await until(async () => {
      await transport.publish('shipping', [sealed(), sealed()]);
      return true;
    });
    const jobs = await until(async () => {
      const keys = await redis.keys(`${prefix}:messages.shipping:*-*`);
      return keys.length > 0 ? keys : undefined;
    });
    for (const job of jobs) {
      const data = await redis.hget(job, 'data');
      expect(data).toContain('n\\":0');
      await redis.hset(job, 'data', (data ?? '').replaceAll('n\\":0', 'n\\":4711'));
    }
    await Promise.all([orders.runtime.start(), receiver.runtime.start()]);
    await until(() => receiver.runtime.receiver.counts.refused.bad_signature === 2);
    await sendNumbers(orders, 20);
    await until(async () => (await count(orders, 'pawl.outbox')) === 0);
    expect(await effectNumbers(receiver)).toEqual(upTo(20));
    expect(await count(receiver, 'pawl.dead_letter')).toBe(0);
    await Promise.all([orders.close(), receiver.close(), backend.close()]);
    redis.disconnect();
  });
});

function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

function sealed({
  from = 'orders',
  to = 'shipping',
  keys = testKeys as readonly MessageKey[],
} = {}): SealedDelivery {
  return seal(arriving(0), new KeyRing(from, keys), { from, to });
}

function altered(): SealedDelivery {
  const delivery = sealed();
  return { ...delivery, body: delivery.body.replace('"n":0', '"n":4711') };
}

/** Past everything that signs. */
async function put(...deliveries: readonly unknown[]): Promise<void> {
  await new InMemoryTransport(bus).publish('shipping', deliveries as Delivery[]);
}

async function duplicates(): Promise<number> {
  const [row] = (await shipping.dataSource.query(
    'SELECT sum(duplicates)::integer AS n FROM pawl.inbox_stream',
  )) as { n: number }[];
  return row?.n ?? 0;
}

interface Pair {
  readonly orders: TestService;
  readonly shipping: TestService;
}

/** Both services, started; on the databases of an earlier pair if there is one. */
async function pair(
  own: InMemoryBus,
  keys: { readonly orders: readonly MessageKey[]; readonly shipping: readonly MessageKey[] },
  earlier?: Pair,
): Promise<Pair> {
  const [orders, receiver] = await Promise.all(
    (['orders', 'shipping'] as const).map((name) =>
      testService({
        name,
        bus: own,
        keys: keys[name],
        ...(earlier && { database: earlier[name].database }),
      }),
    ),
  );
  if (orders === undefined || receiver === undefined) throw new Error('no services');
  receiver.runtime.consumers.register(['orders.noted'], effects());
  await Promise.all([orders.runtime.start(), receiver.runtime.start()]);
  return { orders, shipping: receiver };
}
