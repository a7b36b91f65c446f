import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Envelope } from '../envelope.js';
import type { Delivery, Transport } from './transport.js';

/** One promise that every {@link Transport} keeps, with the check that it does. */
export interface TransportCheck {
  readonly promise: string;
  /** Throws when the promise is broken. @param open another transport on one and the same bus, fresh for each check */
  readonly check: (open: () => Transport) => Promise<void>;
}

/**
 * What the messaging core relies on, for adapters to be tested with: `it.each(transportConformance)('$promise', ...)`. No test
 * framework is needed. That a bus may lose, repeat and reorder is allowed, so a check uses a bus that is well.
 */
export const transportConformance: readonly TransportCheck[] = [
  {
    promise: 'carries messages and acknowledgements unchanged',
    check: async (open) => {
      const sent: Delivery[] = [message(0, { deep: [1, { text: 'ä €\n"' }, null, true] }), acknowledgement()];
      const got = await arrivals(open(), 'shipping');
      await open().publish('shipping', sent);
      await eventually(() => got.length === 2);
      assert.deepEqual(got.toSorted(byText), [...sent].sort(byText));
    },
  },
  {
    promise: 'keeps what comes before anybody consumes',
    check: async (open) => {
      await open().publish('shipping', [message(0)]);
      const got = await arrivals(open(), 'shipping');
      await eventually(() => got.length === 1);
    },
  },
  {
    promise: 'carries many, and each to its destination',
    check: async (open) => {
      const [sender, receiver] = [open(), open()];
      const [shipping, billing] = [await arrivals(receiver, 'shipping'), await arrivals(receiver, 'billing')];
      await sender.publish('shipping', numbered(0, 1_000));
      await sender.publish('billing', numbered(1_000, 100));
      await eventually(() => shipping.length === 1_000 && billing.length === 100);
      assert.equal(new Set(shipping.map(numberOf)).size, 1_000);
      assert.ok(billing.every((delivery) => numberOf(delivery) >= 1_000));
    },
  },
  {
    promise: 'carries what is as large as a message may be',
    check: async (open) => {
      const got = await arrivals(open(), 'shipping');
      await open().publish(
        'shipping',
        [0, 1, 2].map((n) => message(n, 'x'.repeat(256 * 1024 - 2))),
      );
      await eventually(() => got.length === 3);
    },
  },
  {
    promise: 'shares deliveries among the processes of a service',
    check: async (open) => {
      const [one, two] = [await arrivals(open(), 'shipping'), await arrivals(open(), 'shipping')];
      await open().publish('shipping', numbered(0, 500));
      await eventually(() => one.length + two.length === 500);
      assert.equal(new Set([...one, ...two].map(numberOf)).size, 500);
    },
  },
  {
    promise: 'goes on after a receiver has thrown',
    check: async (open) => {
      const got: unknown[] = [];
      let failures = 0;
      await open().consume('shipping', async (deliveries) => {
        if (failures++ === 0) throw new Error('once');
        got.push(...deliveries);
      });
      const sender = open();
      await sender.publish('shipping', [message(0)]);
      await eventually(() => failures === 1);
      await sender.publish('shipping', [message(1)]);
      await eventually(() => got.some((delivery) => numberOf(delivery) === 1));
    },
  },
  {
    promise: 'hands nothing to a closed subscription, and all to the next one',
    check: async (open) => {
      const first: unknown[] = [];
      const receiver = open();
      const subscription = await receiver.consume(
        'shipping',
        async (deliveries) => void first.push(...deliveries),
      );
      await subscription.close();
      await open().publish('shipping', [message(0)]);
      const second = await arrivals(open(), 'shipping');
      await eventually(() => second.length === 1);
      assert.equal(first.length, 0);
    },
  },
  {
    promise: 'waits, when a subscription is closed, for what is under way',
    check: async (open) => {
      let [started, finished] = [false, false];
      const subscription = await open().consume('shipping', async () => {
        started = true;
        await pause(100);
        finished = true;
      });
      await open().publish('shipping', [message(0)]);
      await eventually(() => started);
      await subscription.close();
      assert.ok(finished);
    },
  },
  {
    promise: 'knows about how much waits',
    check: async (open) => {
      const transport = open();
      assert.equal(await transport.backlog('shipping'), 0);
      await transport.publish('shipping', numbered(0, 100));
      assert.ok((await transport.backlog('shipping')) >= 100);
      const got = await arrivals(open(), 'shipping');
      await eventually(() => got.length === 100);
      await eventually(async () => (await transport.backlog('shipping')) === 0);
    },
  },
];

async function arrivals(transport: Transport, service: string): Promise<unknown[]> {
  const got: unknown[] = [];
  await transport.consume(service, async (deliveries) => void got.push(...deliveries));
  return got;
}

function numbered(from: number, count: number): Envelope[] {
  return Array.from({ length: count }, (_, n) => message(from + n));
}

function message(sequence: number, data: Envelope['data'] = {}): Envelope {
  return {
    specversion: '1.0',
    id: `00000000-0000-7000-8000-${String(sequence).padStart(12, '0')}`,
    source: 'orders',
    type: 'orders.noted',
    subject: 'key',
    time: '2026-11-21T00:00:00.000Z',
    datacontenttype: 'application/json',
    dataversion: 1,
    stream: 'orders.shipping',
    partition: 0,
    incarnation: '00000000-0000-7000-8000-00000000000a',
    sequence,
    transmission: 1,
    data,
  };
}

function acknowledgement(): Delivery {
  const incarnation = '00000000-0000-7000-8000-00000000000a';
  const closed = [
    [0, 4],
    [7, 8],
  ] as const;
  return {
    acknowledgement: { stream: 'shipping.orders', partition: 0, incarnation, receiver: incarnation, closed },
  };
}

function numberOf(delivery: unknown): number {
  return (delivery as Envelope).sequence;
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 20_000; !(await condition()); await pause(10)) {
    assert.ok(performance.now() < deadline, 'waited in vain for deliveries');
  }
}
