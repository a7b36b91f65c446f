import { jest } from '@jest/globals';
import {
  BullTransport,
  type Delivery,
  InMemoryBus,
  InMemoryTransport,
  KeyRing,
  MessageType,
  type MessageKey,
  openBullBackend,
  openSealed,
  outgoing,
  type Receive,
  route,
  seal,
  type SealedDelivery,
  type Subscription,
  type Transport,
} from '@pawl/messaging';
import { forkService, testDatabase, testKeys, until } from '@pawl/testing';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stamped } from '../../libs/messaging/src/integrity/wire-version.js';
import { Receiver, type Takers } from '../../libs/messaging/src/receiver.js';
import { envelopeOf, type OutboxRow } from '../../libs/messaging/src/outbox/outbox-row.js';
import {
  arriving,
  count,
  effectNumbers,
  effects,
  testService,
  type TestService,
  upTo,
} from './service-pair.js';

// A process is started, on a machine that may be busy.
jest.setTimeout(60_000);

/** What the release before wrote, recorded: it is still on somebody's bus. Nobody edits this file. */
const RECORDED = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/wire-v1.json'), 'utf8')) as {
  readonly keys: readonly MessageKey[];
  readonly deliveries: readonly { what: string; says: object; sealed: SealedDelivery }[];
};

describe('what was recorded of version 1 of the wire format', () => {
  it.each(RECORDED.deliveries)('is verified and read: $what', async ({ says, sealed }) => {
    expect(openSealed(sealed, new KeyRing(sealed.to, RECORDED.keys), sealed.to)).toEqual({ content: says });
    const taken: unknown[] = [];
    const receiver = new Receiver(takersInto(taken), { service: sealed.to, onProblem: () => undefined });
    await receiver.receive([says], false);
    expect(taken).toHaveLength(1);
    expect(receiver.counts).toMatchObject({ garbage: 0, misrouted: 0, newer: 0 });
    if ('specversion' in says) expect(taken).toEqual([says]);
  });

  it('is what is written to this day, byte by byte, by a service that is told to', () => {
    const messages = RECORDED.deliveries.filter(({ what }) => what.startsWith('message'));
    expect(messages.length).toBeGreaterThan(2);
    for (const { says, sealed } of messages) {
      const body = JSON.stringify(stamped(envelopeOf(rowOf(says), 'orders'), 1));
      expect(body).toBe(sealed.body);
    }
  });
});

it('version 2 says which it is, and nothing else is different', () => {
  const [first] = RECORDED.deliveries;
  const { body = '' } = first?.sealed ?? {};
  expect(JSON.stringify(stamped(JSON.parse(body) as object, 2))).toBe(`{"pawlversion":2,${body.slice(1)}`);
});

it('a version that is not known yet is not read: it stays open until it comes to a newer process', async () => {
  const bus = new InMemoryBus();
  const shipping = await testService({ name: 'shipping', bus });
  shipping.runtime.consumers.register(['orders.noted'], effects());
  await shipping.runtime.start();
  const ring = new KeyRing('orders', testKeys);
  const put = (content: object): Promise<void> =>
    new InMemoryTransport(bus).publish('shipping', [
      seal(content as Delivery, ring, { from: 'orders', to: 'shipping' }),
    ]);
  await put({ pawlversion: 3, ...arriving(0), sequence: 'a number of another kind' });
  await put({ pawlversion: 'two', ...arriving(1) });
  await put({ pawlversion: 2, ...arriving(2) });
  const { counts } = shipping.runtime.receiver;
  await until(async () => (await effectNumbers(shipping)).length === 1);
  expect(counts).toMatchObject({ newer: 1, garbage: 1 });
  expect(await effectNumbers(shipping)).toEqual([2]);
  expect(await count(shipping, 'pawl.dead_letter')).toBe(0);
  expect(await count(shipping, 'pawl.held_message')).toBe(0);
  await shipping.close();
});

it('orders runs the release before, shipping the next: messages and acknowledgements go both ways', async () => {
  const queues = await testDatabase({ empty: true });
  const prefix = `t${randomUUID().slice(0, 8)}`;
  const backend = openBullBackend(queues.url, { prefix });
  const arrived = { 1: 0, 2: 0 };
  // Here only to write to its outbox and to be looked at: its process is the one below.
  const orders = await testService({ name: 'orders', bus: queues.url, prefix });
  const bus = new Peeking(new BullTransport(backend), arrived);
  const shipping = await testService({ name: 'shipping', bus, prefix });
  shipping.runtime.consumers.register(['orders.noted'], effects());
  await shipping.runtime.start();
  const args = ['orders', orders.database.url, queues.url, prefix, '3', '1'];
  const previous = forkService('test/messaging/fixtures/service-process.ts', { args });
  await previous.ready();
  await send(orders, 'shipping');
  await send(shipping, 'orders');
  const both = [orders, shipping];
  for (const service of both)
    await until(async () => (await count(service, 'pawl.outbox')) === 0, { timeoutMs: 30_000 });
  for (const service of both) expect(await effectNumbers(service)).toEqual(upTo(MESSAGES));
  expect(arrived[1]).toBeGreaterThan(MESSAGES);
  expect(arrived[2]).toBe(0);
  previous.kill('SIGKILL');
  await previous.exited;
  await Promise.all([orders.close(), shipping.close()]);
  await backend.close();
  await queues.drop();
});

const MESSAGES = 20;

@MessageType({ name: 'orders.noted', version: 1 })
class Note {
  constructor(readonly n: number) {}
}

async function send({ runtime }: TestService, to: string): Promise<void> {
  const messages = upTo(MESSAGES).map((n) =>
    outgoing(Note, new Note(n), { route: route({ to, partitions: 2 }), key: `order-${n}` }),
  );
  await runtime.transactions.run((tx) => runtime.outbox.append(tx, messages));
}

/** Counts what arrives, by the version it names. */
class Peeking implements Transport {
  constructor(
    private readonly transport: Transport,
    private readonly arrived: Record<1 | 2, number>,
  ) {}

  async publish(destination: string, deliveries: readonly Delivery[]): Promise<void> {
    await this.transport.publish(destination, deliveries);
  }

  async backlog(destination: string): Promise<number> {
    return this.transport.backlog(destination);
  }

  async consume(service: string, receive: Receive): Promise<Subscription> {
    return this.transport.consume(service, async (deliveries, repeated) => {
      for (const { body } of deliveries as SealedDelivery[]) {
        const { pawlversion = 1 } = JSON.parse(body) as { pawlversion?: 1 | 2 };
        this.arrived[pawlversion]++;
      }
      await receive(deliveries, repeated);
    });
  }

  async close(): Promise<void> {
    await this.transport.close();
  }
}

function takersInto(taken: unknown[]): Takers {
  const take = async (contents: readonly unknown[]): Promise<void> => void taken.push(...contents);
  return {
    message: take,
    acknowledgement: take,
    question: take,
    answer: take,
    settlement: take,
    settled: take,
  };
}

/** The row of the outbox that gives this envelope. */
function rowOf(says: object): OutboxRow {
  const envelope = says as ReturnType<typeof envelopeOf>;
  return {
    position: '1',
    id: envelope.id,
    destination: 'shipping',
    partition: envelope.partition,
    key: envelope.subject,
    type: envelope.type,
    version: envelope.dataversion,
    payload: envelope.data,
    traceparent: envelope.traceparent ?? null,
    key_order: envelope.keyorder ?? null,
    created_at: new Date(envelope.time),
    sequence: String(envelope.sequence),
    previous: envelope.previous === undefined ? null : String(envelope.previous),
    transmissions: envelope.transmission,
    pulled: false,
    guarantee: envelope.guarantee ?? null,
    claim_digest: envelope.datadigest ?? null,
    claim_bytes: envelope.datasize ?? null,
    waived: false,
    incarnation: envelope.incarnation,
  };
}
