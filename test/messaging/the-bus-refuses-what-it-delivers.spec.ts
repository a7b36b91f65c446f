import { type Delivery, InMemoryBus, InMemoryTransport } from '@pawl/messaging';
import { until } from '@pawl/testing';
import {
  count,
  effectNumbers,
  effects,
  sendNumbers,
  testService,
  type TestService,
  upTo,
} from './service-pair.js';

let orders: TestService;
let shipping: TestService;

afterEach(async () => {
  await orders.close();
  await shipping.close();
});

it('and what was acknowledged and is kept for a restore is not due again', async () => {
  const bus = new InMemoryBus();
  const limits = { restoreWindowMs: 3_600_000 };
  const transport = new DenyingTransport(bus, async () => (await waiting()) === 0);
  orders = await testService({ name: 'orders', bus: transport, limits });
  shipping = await testService({ name: 'shipping', bus, limits });
  shipping.runtime.consumers.register(['orders.noted'], effects());
  await Promise.all([orders.runtime.start(), shipping.runtime.start()]);
  await sendNumbers(orders, 20);
  await until(() => transport.denied > 0);
  // What the relay sends next it has numbered after the refusal was written down.
  await sendNumbers(orders, 1, { from: 20 });
  await until(async () => (await count(orders, 'pawl.outbox WHERE acknowledged_at IS NOT NULL')) === 21);
  expect(await count(orders, 'pawl.outbox WHERE next_publish_at IS NOT NULL')).toBe(0);
  expect(await effectNumbers(shipping)).toEqual(upTo(21));
});

/** Messages that have a number and no acknowledgement. */
async function waiting(): Promise<number> {
  return count(orders, 'pawl.outbox WHERE sequence IS NOT NULL AND acknowledged_at IS NULL');
}

/** Takes messages, waits until they are acknowledged, and then says that it could not take them: a bus that answers too late. */
class DenyingTransport extends InMemoryTransport {
  denied = 0;

  constructor(
    bus: InMemoryBus,
    private readonly areAcknowledged: () => Promise<boolean>,
  ) {
    super(bus);
  }

  override async publish(destination: string, deliveries: readonly Delivery[]): Promise<void> {
    await super.publish(destination, deliveries);
    const messages = deliveries.some((delivery) => JSON.stringify(delivery).includes('specversion'));
    if (!messages || this.denied > 0) return;
    await until(this.areAcknowledged);
    this.denied++;
    throw new Error('The reply came too late.');
  }
}
