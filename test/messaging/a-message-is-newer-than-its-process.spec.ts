import { type Envelope, InMemoryBus, MessageType, outgoing } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { HandlerConsumer } from '../../libs/messaging/src/inbox/on-message.js';
import {
  arriving,
  closedRanges,
  count,
  effectNumbers,
  effects,
  Noted,
  type ServiceOptions,
  type TestService,
  testService,
  toShipping,
  upTo,
} from './service-pair.js';

@MessageType({
  name: 'orders.noted',
  version: 2,
  schema: {
    type: 'object',
    required: ['n', 'note'],
    properties: { n: { type: 'integer' }, note: { type: 'string' } },
  },
})
class NotedAgain {
  constructor(
    readonly n: number,
    readonly note = '',
  ) {}
}

const HELD_MAX = 4;
const bus = new InMemoryBus();
let [old, fresh]: TestService[] = [];

beforeAll(async () => {
  old = await process([1]);
  fresh = await process([1, 2], { database: service(old).database });
  await service(old).dataSource.query(
    'ALTER TABLE effect ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY',
  );
});
afterAll(async () => {
  await service(fresh).close();
  await service(old).close();
});
beforeEach(() =>
  service(old).dataSource.query('TRUNCATE effect, pawl.dead_letter, pawl.held_message, pawl.inbox_stream'),
);

it('it is stored, its number closes, and the first process that has its version takes it', async () => {
  expect(await accept([v1(0), v2(1, 'a'), v2(2, 'a'), v2(3, 'b')])).toEqual(Array(4).fill('closed'));
  expect(await closedRanges(service(old))).toEqual(['{[0,4)}']);
  expect(await pass(old)).toBe(0);
  expect(await done()).toEqual([0]);
  while ((await pass(fresh)) > 0);
  expect(await effectNumbers(service(old))).toEqual([0, 1, 2, 3]);
  // Of one key in the order of arrival.
  expect((await done()).filter((n) => n === 1 || n === 2)).toEqual([1, 2]);
  expect(await count(service(old), 'pawl.held_message')).toBe(0);
  expect(await accept([v2(1, 'a')])).toEqual(['duplicate']);
  expect(await count(service(old), 'pawl.dead_letter')).toBe(0);
});

it('thousands of them cost a pass of a process that has none next to nothing: it reads neither them nor their payloads', async () => {
  const { dataSource } = service(old);
  // Large enough to be stored out of line, and not to be compressed.
  await dataSource.query(
    `INSERT INTO pawl.held_message (stream, key, envelope)
     SELECT 'orders.shipping', n, $1::jsonb || jsonb_build_object('data', (
       SELECT string_agg(md5((n * 1000 + part)::text), '') FROM generate_series(1, 100) part))
     FROM generate_series(1, 2000) n`,
    [v2(0, 'a')],
  );
  await dataSource.query('ANALYZE pawl.held_message');
  const before = await reads();
  expect(await pass(old)).toBe(0);
  const after = await reads();
  expect(after.payloads - before.payloads).toBe(0);
  expect(after.rows - before.rows).toBeLessThan(100);
});

it('two processes that have its version take it once', async () => {
  await accept([v2(0, 'a'), v2(1, 'b'), v2(2, 'c'), v2(3, 'd')]);
  const other = await process([1, 2], { database: service(old).database });
  await Promise.all([pass(fresh), pass(other), pass(fresh), pass(other)]);
  while ((await pass(fresh)) > 0);
  await other.close();
  expect(await effectNumbers(service(old))).toEqual([0, 1, 2, 3]);
});

it.each(['hold', 'pass'] as const)(
  'what comes behind it in the order of its key waits with it: %s',
  async (keyorder) => {
    const behind = { keyorder };
    await accept([v2(0, 'a', behind), v1(1, 'a', { ...behind, previous: 0 }), v1(2, 'b', behind)]);
    expect(await accept([v1(3, 'a', { ...behind, previous: 1 })])).toEqual(['closed']);
    expect(await pass(old)).toBe(0);
    expect(await done()).toEqual([2]);
    while ((await pass(fresh)) > 0);
    expect(await done()).toEqual([2, 0, 1, 3]);
  },
);

it('one that nobody knows keeps no other back, and is a dead letter when its time is up', async () => {
  await accept([arriving(0, { type: 'orders.unheard-of', subject: 'a' }), v2(1, 'a')]);
  while ((await pass(fresh)) > 0);
  expect(await done()).toEqual([1]);
  expect(await count(service(old), 'pawl.held_message')).toBe(1);
  await service(old).dataSource.query(`UPDATE pawl.held_message SET held_at = now() - interval '2 days'`);
  while ((await pass(old)) > 0);
  expect(await count(service(old), 'pawl.held_message')).toBe(0);
  expect(await letters()).toEqual([{ type: 'orders.unheard-of', reason: 'unknown_type', payload: { n: 0 } }]);
});

it('it is checked against its schema by whoever takes it', async () => {
  const handler = new HandlerConsumer('Notes.noted', NotedAgain, () => undefined, 1_000);
  const strict = await testService({ name: 'shipping', bus, database: service(old).database });
  strict.runtime.consumers.register(['orders.noted'], handler);
  await accept([v2(0, 'a', { data: { n: 0 } })]);
  while ((await pass(strict)) > 0);
  await strict.close();
  expect(await letters()).toMatchObject([{ reason: 'invalid_payload', payload: { n: 0 } }]);
});

it('there is no room for any number of them: what is too much stays open with its sender', async () => {
  const outcomes = await accept(upTo(HELD_MAX + 1).map((n) => v2(n, `k${n}`)));
  expect(outcomes).toEqual([...Array<string>(HELD_MAX).fill('closed'), 'open']);
  expect(await accept([v1(7)])).toEqual(['closed']);
});

it('in a rolling deploy each message is handled once, by whichever process can', async () => {
  const orders = await testService({ name: 'orders', bus });
  await Promise.all([orders, service(old), service(fresh)].map(({ runtime }) => runtime.start()));
  await orders.runtime.transactions.run((tx) =>
    orders.runtime.outbox.append(
      tx,
      upTo(40).map((n) => {
        const to = { route: toShipping, key: `order-${n}` };
        return n % 2 === 0 ? outgoing(Noted, new Noted(n), to) : outgoing(NotedAgain, new NotedAgain(n), to);
      }),
    ),
  );
  await until(async () => (await count(orders, 'pawl.outbox')) === 0);
  await until(async () => (await count(service(old), 'pawl.held_message')) === 0);
  expect(await effectNumbers(service(old))).toEqual(upTo(40));
  expect(await letters()).toEqual([]);
  await orders.close();
});

/** A process of shipping that has these versions of the message. */
async function process(versions: number[], options: Partial<ServiceOptions> = {}): Promise<TestService> {
  const made = await testService({
    name: 'shipping',
    bus,
    limits: { heldMax: HELD_MAX, firstIntervalMs: 100 },
    ...options,
  });
  made.runtime.consumers.register(['orders.noted'], { ...effects(), versionsOf: () => versions });
  return made;
}

function service(made: TestService | undefined): TestService {
  if (made === undefined) throw new Error('not made');
  return made;
}

function v1(n: number, subject = `order-${n}`, fields: Partial<Envelope> = {}): Envelope {
  return arriving(n, { subject, ...fields });
}

function v2(n: number, subject: string, fields: Partial<Envelope> = {}): Envelope {
  return arriving(n, { subject, dataversion: 2, data: { n, note: '' }, ...fields });
}

/** As they reach the process that does not have the version. */
async function accept(envelopes: readonly Envelope[]): Promise<string[]> {
  return service(old).runtime.inbox.accept(envelopes);
}

async function pass(made: TestService | undefined): Promise<number> {
  return service(made).runtime.heldMessages.pass();
}

/** The numbers that took effect, in the order in which they did. */
async function done(): Promise<number[]> {
  const rows = (await service(old).dataSource.query('SELECT n FROM effect ORDER BY place')) as {
    n: number;
  }[];
  return rows.map(({ n }) => n);
}

async function letters(): Promise<unknown[]> {
  return service(old).dataSource.query('SELECT type, reason, payload FROM pawl.dead_letter');
}

/** What was read of the held messages, once the connections have told. */
async function reads(): Promise<{ rows: number; payloads: number }> {
  const { dataSource } = service(old);
  // The pool gives the connection that was used last.
  await dataSource.query('SELECT pg_stat_force_next_flush()');
  const [row] = (await dataSource.query(
    `SELECT (toast_blks_hit + toast_blks_read)::integer AS payloads, (seq_tup_read + idx_tup_fetch)::integer AS rows
     FROM pg_stat_all_tables JOIN pg_statio_all_tables USING (relid) WHERE relid = 'pawl.held_message'::regclass`,
  )) as [{ rows: number; payloads: number }];
  return row;
}
