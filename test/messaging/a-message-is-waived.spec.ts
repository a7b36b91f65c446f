import type { Envelope } from '@pawl/messaging';
import { HandCarried, hand } from './hand-carried.js';
import { count, effectNumbers, effects, sendNumbers, testService, type TestService } from './service-pair.js';

const limits = { firstIntervalMs: 1, longestIntervalMs: 1 };
const BY = { actor: 'ann', reason: 'sent by mistake' };

let bus: HandCarried;
let orders: TestService;
let shipping: TestService;
let copies: ReturnType<HandCarried['take']>;
let id: string;

beforeEach(async () => {
  bus = new HandCarried();
  orders = await testService({ name: 'orders', bus, limits });
  shipping = await testService({ name: 'shipping', bus });
  shipping.runtime.consumers.register(['orders.noted'], effects());
  await sendNumbers(orders, 1);
  await orders.runtime.relay.pass();
  await bus.carryAll(orders, shipping);
  await orders.runtime.relay.pass();
  copies = bus.take('shipping', 'message');
  [id = ''] = copies.map((copy) => (copy as { id: string }).id);
  expect(await orders.runtime.streams.waive([id], BY)).toEqual([id]);
});
afterEach(async () => {
  await orders.close();
  await shipping.close();
});

it('while its copy is in flight: the copy is dropped, and what did not happen is in the loss ledger', async () => {
  const [question] = await ask();
  await hand(shipping, question as never);
  const [answer] = bus.take('orders', 'settled');
  expect(answer).toMatchObject({ settled: { handled: [], unseen: [[0, 1]] } });
  await hand(shipping, ...copies);
  expect(await effectNumbers(shipping)).toEqual([]);
  await hand(orders, answer as never, answer as never);
  expect(await losses()).toEqual([{ reason: 'waived', message_id: id, detail: 'ann: sent by mistake' }]);
  expect(await count(orders, 'pawl.outbox')).toBe(0);
});

it('after it took effect: nothing is missing', async () => {
  await hand(shipping, ...copies);
  await hand(shipping, ...(await ask()));
  await bus.carryAll(orders, shipping);
  expect(await effectNumbers(shipping)).toEqual([0]);
  expect([await losses(), await count(orders, 'pawl.outbox')]).toEqual([[], 0]);
});

it('after a try that failed: its attempts are forgotten with it', async () => {
  const [question] = await ask();
  const { partition, incarnation } = copies[0] as Envelope;
  await shipping.dataSource.query(
    `INSERT INTO pawl.inbox_attempt (stream, partition, incarnation, sequence, message_id, attempts)
     VALUES ('orders.shipping', $1, $2, 0, $3, 1), ('orders.shipping', $1, $2, 1, $3, 1)`,
    [partition, incarnation, id],
  );
  await hand(shipping, question as never);
  const left = await shipping.dataSource.query('SELECT sequence FROM pawl.inbox_attempt');
  expect(left).toEqual([{ sequence: '1' }]);
});

it('and the answer is lost: asked again it is the same', async () => {
  await hand(shipping, ...(await ask()));
  bus.take('orders', 'settled');
  // The acknowledgement closes the number too, but does not tell what became of it.
  await hand(shipping, ...copies);
  await shipping.runtime.stop();
  await hand(orders, ...bus.take('orders', 'acknowledgement'));
  expect(await count(orders, 'pawl.outbox')).toBe(1);
  await hand(shipping, ...(await ask()));
  await bus.carryAll(orders, shipping);
  expect(await losses()).toHaveLength(1);
});

it('only once, and only while it is in the outbox', async () => {
  expect(await orders.runtime.streams.waive([id], BY)).toEqual([]);
  await expect(orders.runtime.streams.waive(['x'], BY)).rejects.toMatchObject({
    code: 'message_request_invalid',
  });
  await expect(orders.runtime.streams.waive([id], { ...BY, reason: ' ' })).rejects.toThrow(/reason/);
});

/** What the sender asks in place of the message. */
async function ask(): Promise<ReturnType<HandCarried['take']>> {
  await orders.dataSource.query(`UPDATE pawl.outbox_stream SET progressed_at = '-infinity'`);
  await orders.dataSource.query(`UPDATE pawl.outbox SET next_publish_at = '-infinity'`);
  await orders.runtime.retransmitter.pass();
  expect(bus.take('shipping', 'message')).toEqual([]);
  return bus.take('shipping', 'settlement');
}

async function losses(): Promise<unknown[]> {
  return orders.dataSource.query('SELECT reason, message_id, detail FROM pawl.loss');
}
