import { InMemoryBus } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { backUp } from './back-up.js';
import {
  count,
  effectNumbers,
  effects,
  sendNumbers,
  testService,
  type TestService,
  upTo,
} from './service-pair.js';

const limits = { firstIntervalMs: 50, longestIntervalMs: 200, keepAliveMs: 200 };
const WINDOW = { restoreWindowMs: 600_000 };

let bus: InMemoryBus;
let orders: TestService;
let shipping: TestService;

async function pair({ ordersWindow = 0, shippingWindow = 0 } = {}): Promise<void> {
  bus = new InMemoryBus();
  orders = await testService({ name: 'orders', bus, limits: { ...limits, restoreWindowMs: ordersWindow } });
  shipping = await testService({
    name: 'shipping',
    bus,
    limits: { ...limits, restoreWindowMs: shippingWindow },
  });
  shipping.runtime.consumers.register(['orders.noted'], effects());
  await shipping.runtime.start();
}
afterEach(async () => {
  await orders.close();
  await shipping.close();
});

describe('the sender’s', () => {
  it('twice to the same backup: new messages take effect, once each, and it says so', async () => {
    await pair();
    await orders.runtime.start();
    await sendNumbers(orders, 20);
    await atRest(20);
    const restore = await backUp(orders);
    for (const from of [20, 40, 60]) {
      await sendNumbers(orders, 20, { from });
      await atRest(from + 20);
      await restore();
      // Later it is a newer incarnation that the receiver knows.
      if (from === 20) await until(async () => (await reasons(orders)).has('sender_set_back'));
    }
    await sendNumbers(orders, 20, { from: 80 });
    await atRest(100);
  });

  it('with messages that were on their way: those that arrived are not sent again', async () => {
    await pair();
    await orders.runtime.start();
    await sendNumbers(orders, 20);
    await atRest(20);
    await shipping.runtime.stop();
    await sendNumbers(orders, 20, { from: 20 });
    await until(async () => (await count(orders, 'pawl.outbox WHERE sequence IS NOT NULL')) === 20);
    const restore = await backUp(orders);
    const successor = await testService({ name: 'shipping', bus, database: shipping.database, limits });
    successor.runtime.consumers.register(['orders.noted'], effects());
    await successor.runtime.start();
    await atRest(40);
    await restore();
    await sendNumbers(orders, 5, { from: 40 });
    await atRest(45);
    await successor.close();
  });

  it('with messages that had no number yet: within the restore window they are recognised', async () => {
    await pair({ shippingWindow: WINDOW.restoreWindowMs });
    await sendNumbers(orders, 20);
    const restore = await backUp(orders);
    await orders.runtime.start();
    await atRest(20);
    await restore();
    await sendNumbers(orders, 5, { from: 20 });
    await atRest(25);
  });

  it('without a trace: the receiver contradicts, and nothing is lost', async () => {
    await pair({ shippingWindow: WINDOW.restoreWindowMs });
    await orders.runtime.start();
    await sendNumbers(orders, 20);
    await atRest(20);
    const restore = await backUp(orders);
    await sendNumbers(orders, 20, { from: 20 });
    await atRest(40);
    await restore({ noticed: false });
    await until(async () => (await reasons(orders)).has('never_sent'));
    await sendNumbers(orders, 5, { from: 40 });
    await atRest(45);
  });

  it('and a person says so: a new incarnation begins', async () => {
    await pair();
    await orders.runtime.start();
    await sendNumbers(orders, 20);
    await atRest(20);
    expect(await orders.runtime.streams.beginAnew({ to: 'shipping' })).toBe(4);
    expect(await orders.runtime.streams.beginAnew({ to: 'billing' })).toBe(0);
    await until(async () => (await reasons(orders)).has('command'));
    await sendNumbers(orders, 20, { from: 20 });
    await atRest(40);
    const states = await orders.runtime.streams.list();
    expect(states.map(({ session }) => session)).toEqual(Array(4).fill('open'));
  });
});

describe('the receiver’s', () => {
  it('within the restore window of the sender: it gets again what it has lost', async () => {
    await pair({ ordersWindow: WINDOW.restoreWindowMs });
    await orders.runtime.start();
    await sendNumbers(orders, 20);
    await settled(20);
    const restore = await backUp(shipping);
    await sendNumbers(orders, 20, { from: 20 });
    await settled(40);
    await restore();
    await settled(40);
    expect((await reasons(shipping)).has('receiver_set_back')).toBe(true);
    expect(await count(shipping, 'pawl.loss')).toBe(0);
  });

  it('and the sender begins anew before it notices: it gets again what it has lost all the same', async () => {
    await pair({ ordersWindow: WINDOW.restoreWindowMs });
    await orders.runtime.start();
    await sendNumbers(orders, 20);
    await settled(20);
    const restore = await backUp(shipping);
    await sendNumbers(orders, 20, { from: 20 });
    await settled(40);
    // Nobody asks in between.
    await orders.runtime.stop();
    await restore();
    await orders.runtime.streams.beginAnew();
    const restarted = await testService({
      name: 'orders',
      bus,
      limits: { ...limits, ...WINDOW },
      database: orders.database,
    });
    await restarted.runtime.start();
    await settled(40);
    await restarted.close();
  });

  it('without one: what can not come again is in the loss ledger, and the rest goes on', async () => {
    await pair();
    await orders.runtime.start();
    await sendNumbers(orders, 20);
    await atRest(20);
    const restore = await backUp(shipping);
    await sendNumbers(orders, 20, { from: 20 });
    await atRest(40);
    await restore();
    await sendNumbers(orders, 5, { from: 40 });
    await until(async () => (await lost()) === 20, { what: '20 lost numbers' });
    await until(async () => (await count(shipping, 'effect')) === 25);
    expect(await effectNumbers(shipping)).toEqual([...upTo(20), ...upTo(5).map((n) => 40 + n)]);
    expect(await count(shipping, `pawl.inbox_stream WHERE closed::text !~ '^{.[0-9]+,[0-9]+.}$'`)).toBe(0);
  });
});

it('the receiver’s, to before the sender began anew: what is unknown of the time before is one loss row', async () => {
  await pair();
  await orders.runtime.start();
  await sendNumbers(orders, 20);
  await atRest(20);
  const restore = await backUp(shipping);
  await sendNumbers(orders, 20, { from: 20 });
  await atRest(40);
  await orders.runtime.streams.beginAnew();
  await sendNumbers(orders, 20, { from: 40 });
  await atRest(60);
  await restore();
  await until(async () => (await unknown()) === 4, { what: 'a row per partition' });
  await sendNumbers(orders, 20, { from: 60 });
  await until(async () => (await lost()) === 20, { what: '20 lost numbers' });
  await until(async () => (await count(shipping, 'effect')) === 40);
  expect([await unknown(), await lost()]).toEqual([4, 20]);
});

function unknown(): Promise<number> {
  return count(shipping, `pawl.loss WHERE reason = 'receiver_set_back' AND payload ? 'before'`);
}

async function atRest(messages: number): Promise<void> {
  await until(async () => (await count(orders, 'pawl.outbox')) === 0, { what: 'an empty outbox' });
  expect(await effectNumbers(shipping)).toEqual(upTo(messages));
}

/** As `atRest`, of a sender that keeps what was acknowledged. */
async function settled(messages: number): Promise<void> {
  await until(
    async () =>
      (await count(orders, 'pawl.outbox WHERE acknowledged_at IS NULL')) === 0 &&
      (await count(shipping, 'effect')) >= messages,
    { what: 'all acknowledged' },
  );
  expect(await effectNumbers(shipping)).toEqual(upTo(messages));
}

async function reasons({ runtime }: TestService): Promise<ReadonlySet<string>> {
  return new Set((await runtime.streams.incarnations()).map(({ reason }) => reason));
}

/** Numbers that the receiver has given up. */
async function lost(): Promise<number> {
  const [row] = (await shipping.dataSource.query(
    `SELECT coalesce(sum((payload ->> 'to')::integer - (payload ->> 'from')::integer), 0)::integer AS n
     FROM pawl.loss WHERE reason = 'receiver_set_back'`,
  )) as { n: number }[];
  return row?.n ?? -1;
}
