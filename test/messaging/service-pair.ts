import 'reflect-metadata';
import {
  type Delivery,
  type Envelope,
  type FeedSource,
  InMemoryBus,
  InMemoryTransport,
  type MessageConsumer,
  type MessageKey,
  type MessagingLimits,
  MessagingRuntime,
  outgoing,
  MessageType,
  route,
  type SealedDelivery,
  type Transport,
  type WireAnswer,
  type WireQuestion,
} from '@pawl/messaging';
import { testDatabase, type TestDatabase, testKeys } from '@pawl/testing';
import { DataSource } from 'typeorm';

@MessageType({
  name: 'orders.noted',
  version: 1,
  schema: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
})
export class Noted {
  constructor(readonly n: number) {}
}

/** One service of a test: a database of its own, a runtime, and a table of what its consumer has done. */
export interface TestService {
  readonly name: string;
  readonly dataSource: DataSource;
  readonly runtime: MessagingRuntime;
  readonly database: TestDatabase;
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly name: string;
  /** A URL, or a transport of one's own. */
  readonly bus: InMemoryBus | Transport | string;
  readonly limits?: Partial<MessagingLimits>;
  /** Default: those of all tests. */
  readonly keys?: readonly MessageKey[];
  readonly unsigned?: boolean;
  readonly wireVersion?: 1 | 2;
  readonly prefix?: string;
  readonly via?: string;
  readonly feeds?: readonly FeedSource[];
  /** Joins another service's database: a second process of the same service. */
  readonly database?: TestDatabase;
}

/** Retransmits fast, so that tests need not wait for seconds. */
export const QUICK = { firstIntervalMs: 200, longestIntervalMs: 1_000 } as const;

export const toShipping = route({ to: 'shipping', partitions: 4 });

export async function testService({
  name,
  bus,
  limits,
  database: shared,
  ...rest
}: ServiceOptions): Promise<TestService> {
  const database = shared ?? (await testDatabase());
  const dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  if (!shared) await dataSource.query('CREATE TABLE effect (id uuid NOT NULL, n integer NOT NULL)');
  const on =
    typeof bus === 'string'
      ? { busUrl: bus }
      : { transport: bus instanceof InMemoryBus ? new InMemoryTransport(bus) : bus };
  const runtime = new MessagingRuntime(dataSource, {
    service: name,
    ...(rest.unsigned === true ? {} : { keys: testKeys }),
    ...on,
    ...rest,
    limits: { ...QUICK, ...limits },
  });
  if (bus instanceof RecordingTransport)
    bus.answer ??= async (contents) => runtime.receiver.receive(contents, false);
  return {
    name,
    dataSource,
    runtime,
    database,
    close: async () => {
      await runtime.stop();
      await dataSource.destroy();
      if (!shared) await database.drop();
    },
  };
}

/** The incarnation of the receiver that a {@link RecordingTransport} stands for. */
export const RECEIVER = '019a0000-0000-7000-8000-00000000000b';

/** Takes what it is given and hands it to nobody: what a receiver looks like that has opened its sessions and is away since. */
export class RecordingTransport implements Transport {
  readonly published: Envelope[] = [];
  /** Where answers to session questions go: the service that asks over this transport. */
  answer: ((contents: readonly unknown[]) => Promise<void>) | undefined;

  async publish(_destination: string, deliveries: Parameters<Transport['publish']>[1]): Promise<void> {
    for (const content of deliveries.map(contentOf)) {
      if ('specversion' in content) this.published.push(content);
      if ('question' in content) await this.answer?.([{ answer: answerTo(content.question) }]);
    }
  }

  async backlog(): Promise<number> {
    return 0;
  }

  async consume(): Promise<{ close: () => Promise<void> }> {
    return { close: async () => undefined };
  }

  async close(): Promise<void> {
    this.published.length = 0;
  }
}

/** Opens the sessions of all partitions that have messages, as a receiver does that is away since. */
export async function openSessions({ name, database }: TestService): Promise<void> {
  const other = await testService({ name, bus: new RecordingTransport(), database });
  await other.runtime.relay.pass();
  await other.close();
}

/** The answer of a receiver that has closed what it has acknowledged. */
export function answerTo(question: WireQuestion): WireAnswer {
  const { stream, partition, incarnation, nonce, acknowledged } = question;
  const own = { receiver: RECEIVER, newest: incarnation, closed: acknowledged };
  return { stream, partition, incarnation, nonce, ...own, previousClosed: [], previousSettled: [] };
}

/** What a delivery says, whatever seal it is under. */
export function contentOf(delivery: Delivery): Exclude<Delivery, SealedDelivery> {
  return 'body' in delivery ? (JSON.parse(delivery.body) as Exclude<Delivery, SealedDelivery>) : delivery;
}

const INCARNATION = '019a0000-0000-7000-8000-000000000001';

/** A message as it would come from orders; its id follows from its number. */
export function arriving(sequence: number, fields: Partial<Envelope> = {}): Envelope {
  return {
    specversion: '1.0',
    id: `019a0000-0000-7000-9000-${String(sequence).padStart(12, '0')}`,
    source: 'orders',
    type: 'orders.noted',
    subject: `order-${sequence}`,
    time: '2026-11-21T10:00:00.000Z',
    datacontenttype: 'application/json',
    dataversion: 1,
    stream: 'orders.shipping',
    partition: 0,
    incarnation: INCARNATION,
    sequence,
    transmission: 1,
    data: { n: sequence },
    ...fields,
  };
}

/** Writes one row per message, without any key that would hide a second one. */
export function effects(name = 'effects'): MessageConsumer {
  return {
    name,
    async handle(envelopes, tx) {
      const lent = tx.lend();
      await lent.manager.query('INSERT INTO effect (id, n) SELECT * FROM unnest($1::uuid[], $2::integer[])', [
        envelopes.map(({ id }) => id),
        envelopes.map(({ data }) => (data as { n: number }).n),
      ]);
      lent.revoke();
      return [];
    },
  };
}

/** Sends one message per number, in transactions of a hundred. */
export async function sendNumbers(service: TestService, count: number, { from = 0 } = {}): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => from + n);
  while (numbers.length > 0) {
    const batch = numbers.splice(0, 100);
    await service.runtime.transactions.run((tx) =>
      service.runtime.outbox.append(
        tx,
        batch.map((n) => outgoing(Noted, new Noted(n), { route: toShipping, key: `order-${n}` })),
      ),
    );
  }
}

export async function count(service: TestService, table: string): Promise<number> {
  const [row] = (await service.dataSource.query(`SELECT count(*)::integer AS n FROM ${table}`)) as {
    n: number;
  }[];
  return row?.n ?? 0;
}

/** The numbers that took effect, sorted, every time they did. */
export async function effectNumbers(service: TestService): Promise<number[]> {
  const rows = (await service.dataSource.query('SELECT n FROM effect ORDER BY n')) as { n: number }[];
  return rows.map(({ n }) => n);
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

/** What is closed per incoming partition, as text. */
export async function closedRanges(service: TestService): Promise<string[]> {
  const rows = (await service.dataSource.query(
    'SELECT closed::text AS closed FROM pawl.inbox_stream ORDER BY stream, partition',
  )) as { closed: string }[];
  return rows.map(({ closed }) => closed);
}
