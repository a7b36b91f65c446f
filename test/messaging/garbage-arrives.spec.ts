import { messageQueue, openBullBackend } from '@pawl/messaging';
import { testDatabase, type TestDatabase, until } from '@pawl/testing';
import { arriving, count, effectNumbers, effects, testService, type TestService } from './service-pair.js';

let queues: TestDatabase;
let shipping: TestService;

beforeEach(async () => {
  queues = await testDatabase({ empty: true });
  shipping = await testService({ name: 'shipping', bus: queues.url, unsigned: true });
  shipping.runtime.consumers.register(['orders.noted'], effects());
  await shipping.runtime.start();
});
afterEach(async () => {
  await shipping.close();
  await queues.drop();
});

it('it is counted and forgotten, and what comes after it is handled', async () => {
  const garbage = [
    undefined,
    {},
    { deliveries: 'none' },
    { to: 'shipping', deliveries: [null, 7, 'text', [], { specversion: '1.0' }] },
    {
      to: 'shipping',
      deliveries: [
        { ...arriving(1), partition: 7_000 },
        { ...arriving(2), sequence: -1 },
      ],
    },
    { to: 'shipping', deliveries: [{ acknowledgement: null }, { acknowledgement: { stream: 'x' } }] },
    { to: 'shipping', deliveries: [{ ...arriving(3), stream: 'orders.billing' }] },
    { to: 'shipping', deliveries: [arriving(0)] },
  ];
  const backend = openBullBackend(queues.url);
  const queue = backend.queue(messageQueue('shipping'));
  await until(async () => {
    await queue.add(garbage.map((data, n) => ({ name: 'deliveries', id: `garbage-${n}`, data })));
    return true;
  });
  await until(async () => (await count(shipping, 'effect')) === 1);
  await until(() => shipping.runtime.receiver.counts.misrouted === 1);
  await until(() => shipping.runtime.receiver.counts.garbage === 3 + 5 + 2 + 2);
  await backend.close();
  expect(await effectNumbers(shipping)).toEqual([0]);
  expect(await count(shipping, 'pawl.dead_letter')).toBe(0);
  expect(await count(shipping, 'pawl.inbox_stream')).toBe(1);
});
