import { InMemoryBus, messageTypeOf } from '@pawl/messaging';
import { describeWithRedis, testDatabase, testRedisUrl, until } from '@pawl/testing';
import { randomUUID } from 'node:crypto';
import {
  closedRanges,
  count,
  effectNumbers,
  effects,
  Noted,
  sendNumbers,
  testService,
  type TestService,
  upTo,
} from './service-pair.js';

const MESSAGES = 300;

describe('in memory', () => {
  suite(async () => ({ bus: new InMemoryBus() }));
});
describe('BullMQ on PostgreSQL', () => {
  suite(async () => {
    const queues = await testDatabase({ empty: true });
    return { bus: queues.url, release: () => queues.drop() };
  });
});
describeWithRedis('BullMQ on Redis', () => {
  suite(async () => ({ bus: testRedisUrl() }));
});

interface Bus {
  readonly bus: InMemoryBus | string;
  readonly release?: () => Promise<void>;
}

function suite(open: () => Promise<Bus>): void {
  let bus: Bus;
  let orders: TestService;
  let shipping: TestService;

  beforeEach(async () => {
    bus = await open();
    const prefix = `t${randomUUID().slice(0, 8)}`;
    orders = await testService({ name: 'orders', bus: bus.bus, prefix });
    shipping = await testService({ name: 'shipping', bus: bus.bus, prefix });
    shipping.runtime.consumers.register([messageTypeOf(Noted).name], effects());
  });
  afterEach(async () => {
    await orders.close();
    await shipping.close();
    await bus.release?.();
  });

  it('each message takes effect once, and at rest nothing is left but one range per partition', async () => {
    await orders.runtime.start();
    await shipping.runtime.start();
    await sendNumbers(orders, MESSAGES);
    await until(async () => (await count(orders, 'pawl.outbox')) === 0, { what: 'an empty outbox' });
    expect(await effectNumbers(shipping)).toEqual(upTo(MESSAGES));
    for (const closed of await closedRanges(shipping)) expect(closed).toMatch(/^\{\[0,\d+\)\}$/);
  });
}
