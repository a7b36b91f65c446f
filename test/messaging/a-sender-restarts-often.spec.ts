import { HandCarried, hand } from './hand-carried.js';
import { count, effectNumbers, effects, sendNumbers, testService, upTo } from './service-pair.js';

it('before it hears an answer: the numbers that its messages still carry are never forgotten', async () => {
  const bus = new HandCarried();
  const orders = await testService({ name: 'orders', bus });
  const shipping = await testService({ name: 'shipping', bus });
  shipping.runtime.consumers.register(['orders.noted'], effects());
  await sendNumbers(orders, 1);
  await orders.runtime.relay.pass();
  await bus.carryAll(orders, shipping);
  await orders.runtime.relay.pass();
  await hand(shipping, ...bus.take('shipping', 'message'));
  await shipping.runtime.stop();
  // It took effect, and its sender does not hear of it.
  bus.take('orders', 'acknowledgement');
  for (const _ of upTo(20)) {
    await orders.runtime.streams.beginAnew();
    bus.take('orders', 'answer');
    await orders.runtime.sessions.pass();
    await hand(shipping, ...bus.take('shipping', 'question'));
  }
  expect(await count(shipping, 'pawl.inbox_stream')).toBe(16);
  await hand(orders, ...bus.take('orders', 'answer'));
  await orders.runtime.relay.pass();
  await hand(shipping, ...bus.take('shipping', 'message'));
  expect(await effectNumbers(shipping)).toEqual([0]);
  expect(await count(orders, 'pawl.outbox')).toBe(0);
  await orders.close();
  await shipping.close();
});
