import { type MessageJob, messageQueue, openBullBackend } from '@pawl/messaging';
import { testDatabase, type TestDatabase, until } from '@pawl/testing';
import { randomUUID } from 'node:crypto';
import {
  count,
  effectNumbers,
  effects,
  sendNumbers,
  testService,
  type TestService,
  upTo,
} from './service-pair.js';

const MESSAGES = 100;
let queues: TestDatabase;
let orders: TestService;
let shipping: TestService;

beforeEach(async () => {
  queues = await testDatabase({ empty: true });
  orders = await testService({ name: 'orders', bus: queues.url, via: 'courier' });
  shipping = await testService({ name: 'shipping', bus: queues.url, via: 'courier' });
  shipping.runtime.consumers.register(['orders.noted'], effects());
});
afterEach(async () => {
  await orders.close();
  await shipping.close();
  await queues.drop();
});

it('who gets messages and acknowledgements alike, with their destination, and delivers each twice', async () => {
  const courier = openBullBackend(queues.url);
  const carried = new Set<string>();
  courier.worker('courier', async ({ data }) => {
    const { to } = data as MessageJob;
    carried.add(to);
    for (let n = 0; n < 2; n++) {
      await courier.queue(messageQueue(to)).add([{ name: 'deliveries', id: randomUUID(), data }]);
    }
  });
  await Promise.all([orders.runtime.start(), shipping.runtime.start()]);
  await sendNumbers(orders, MESSAGES);
  await until(async () => (await count(orders, 'pawl.outbox')) === 0);
  await courier.close();
  expect(await effectNumbers(shipping)).toEqual(upTo(MESSAGES));
  expect(carried).toEqual(new Set(['orders', 'shipping']));
});

it('and whoever stops in the middle goes on where they were', async () => {
  const direct = await testService({ name: 'orders', bus: queues.url, database: orders.database });
  await Promise.all([direct.runtime.start(), shipping.runtime.start()]);
  await sendNumbers(direct, MESSAGES);
  await shipping.runtime.stop();
  const again = await testService({ name: 'shipping', bus: queues.url, database: shipping.database });
  again.runtime.consumers.register(['orders.noted'], effects());
  await again.runtime.start();
  await until(async () => (await count(orders, 'pawl.outbox')) === 0);
  expect(await effectNumbers(again)).toEqual(upTo(MESSAGES));
  await Promise.all([again.close(), direct.close()]);
});
