import { BusyError, PawlError } from '@pawl/core';
import {
  type Envelope,
  InMemoryBus,
  type MessageContext,
  type MessagingLimits,
  outgoing,
  route,
  type Transport,
} from '@pawl/messaging';
import { until } from '@pawl/testing';
import { HandlerConsumer } from '../../libs/messaging/src/inbox/on-message.js';
import { arriving, count, Noted, RecordingTransport, testService, type TestService } from './service-pair.js';

let service: TestService;
let calls: number[];
let handler: (n: number, context: MessageContext) => Promise<unknown>;

const LIMITS = { attemptsMax: 2, handlerTimeoutMs: 60_000, callTimeoutMs: 200 };

async function begin(
  bus: Transport | InMemoryBus,
  limits: Partial<MessagingLimits> = {},
): Promise<TestService> {
  const begun = await testService({ name: 'shipping', bus, limits: { ...LIMITS, ...limits } });
  begun.runtime.consumers.register(['orders.noted'], calling());
  return begun;
}

beforeAll(async () => {
  service = await begin(new RecordingTransport());
});
afterAll(() => service.close());
beforeEach(async () => {
  calls = [];
  handler = async () => undefined;
  await service.dataSource.query(
    'TRUNCATE pawl.dead_letter, pawl.loss, pawl.inbox_stream, pawl.inbox_attempt, pawl.held_message',
  );
});

describe.each(['at-least-once', 'at-most-once'] as const)('%s', (guarantee) => {
  it('is called in no transaction, once while nothing fails, and a copy is a duplicate', async () => {
    handler = async (_, { manager }) => manager;
    expect(await attempted(guarantee)).toMatchObject(
      guarantee === 'at-least-once' ? { errors: ['no_transaction'] } : { losses: ['handler-failed'] },
    );
    handler = async () => {
      const open = await service.dataSource.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
      );
      expect(open).toEqual([]);
    };
    calls = [];
    expect(await accept([1, 2], { guarantee })).toEqual(['closed', 'closed']);
    expect(await accept([2, 1], { guarantee, transmission: 2 })).toEqual(['duplicate', 'duplicate']);
    expect(calls).toEqual([1, 2]);
  });

  it('is buried without a call when its payload is not of its type', async () => {
    expect(await accept([0], { guarantee, data: { n: 'x' } })).toEqual(['closed']);
    expect(calls).toEqual([]);
    expect(await letters()).toMatchObject([{ reason: 'invalid_payload', envelope: { guarantee } }]);
    expect(await losses()).toEqual([]);
  });

  it('is handled exactly once by a consumer that can only act in a transaction', async () => {
    const seen: string[] = [];
    const inside = {
      name: 'inside',
      handle: async (all: readonly Envelope[]) => (seen.push(...all.map(({ type }) => type)), []),
    };
    service.runtime.consumers.register(['orders.heard'], inside);
    expect(await accept([0], { guarantee, type: 'orders.heard' })).toEqual(['closed']);
    expect([seen, await losses()]).toEqual([['orders.heard'], []]);
  });
});

it('at most once is kept for one that had to wait for a process that has its type', async () => {
  const later = { guarantee: 'at-most-once', type: 'orders.later' } as const;
  expect(await accept([0, 1], later)).toEqual(['closed', 'closed']);
  handler = async (n) => (n === 0 ? Promise.reject(new PawlError('away', 'nobody there')) : undefined);
  service.runtime.consumers.register(['orders.later'], calling());
  await service.dataSource.query('UPDATE pawl.held_message SET due_at = clock_timestamp()');
  while ((await service.runtime.heldMessages.pass()) > 0);
  expect(calls.toSorted((a, b) => a - b)).toEqual([0, 1]);
  expect(await losses()).toMatchObject([{ reason: 'handler-failed', payload: { n: 0 } }]);
  expect(await count(service, 'pawl.held_message')).toBe(0);
});

it('at least once is called by one process at a time for one that had to wait, and again soon if that fails', async () => {
  await accept([7], { guarantee: 'at-least-once', type: 'orders.slow' });
  let end = (_error?: Error): void => undefined;
  handler = async () => new Promise<void>((done, fail) => (end = (error) => (error ? fail(error) : done())));
  service.runtime.consumers.register(['orders.slow'], calling(LIMITS.handlerTimeoutMs));
  const { heldMessages } = service.runtime;
  const first = heldMessages.pass();
  await until(() => calls.length === 1);
  await service.dataSource.query(`UPDATE pawl.held_message SET due_at = due_at - interval '100 s'`);
  expect(await heldMessages.pass()).toBe(0);
  end(new PawlError('away', 'nobody there'));
  await first;
  const soon = `SELECT attempts, due_at < clock_timestamp() + interval '10 s' AS soon FROM pawl.held_message`;
  expect(await service.dataSource.query(soon)).toEqual([{ attempts: 1, soon: true }]);
  handler = async () => undefined;
  await until(async () => (await heldMessages.pass()) === 1);
  expect([calls, await count(service, 'pawl.held_message'), await letters()]).toEqual([[7, 7], 0, []]);
});

it('at most once is kept for one that is redriven', async () => {
  await accept([0], { guarantee: 'at-most-once', data: { n: 'x' } });
  await service.dataSource.query(`UPDATE pawl.dead_letter SET payload = '{"n": 5}'`);
  handler = async () => Promise.reject(new PawlError('away', 'nobody there'));
  const [letter] = await service.runtime.deadLetters.list();
  await service.runtime.deadLetters.redrive([letter?.id ?? ''], { actor: 'ann', reason: 'mended' });
  expect(await service.runtime.redriver.pass()).toBe(1);
  expect(
    await service.runtime.deadLetters.redrive([letter?.id ?? ''], { actor: 'ann', reason: 'x' }),
  ).toEqual([]);
  expect([calls, await losses()]).toMatchObject([[5], [{ reason: 'handler-failed', payload: { n: 5 } }]]);
});

describe('at least once', () => {
  const guarantee = 'at-least-once';

  it('is called again when its call has failed, and becomes a dead letter with every error', async () => {
    handler = async (n) => Promise.reject(new PawlError('away', `no ${n}`));
    expect(await accept([0], { guarantee })).toEqual(['open']);
    expect(await accept([0], { guarantee })).toEqual(['closed']);
    expect(calls).toEqual([0, 0]);
    expect(await letters()).toMatchObject([
      { reason: 'attempts_exhausted', errors: [{ code: 'away' }, { code: 'away' }] },
    ]);
  });

  it('is ended by its signal when its time is up, and that is an attempt', async () => {
    let reason: unknown;
    handler = async (_, { signal }) =>
      new Promise((done) => signal.addEventListener('abort', () => done((reason = signal.reason))));
    expect(await accept([0], { guarantee })).toEqual(['open']);
    expect(reason).toMatchObject({ code: 'handler_timeout' });
    expect(await count(service, 'pawl.inbox_attempt')).toBe(1);
  });

  it('spends no attempt while the database is busy', async () => {
    handler = async () => Promise.reject(new BusyError(undefined));
    for (const transmission of [1, 2, 3])
      expect(await accept([0], { guarantee, transmission })).toEqual(['open']);
    handler = async () => undefined;
    expect(await accept([0], { guarantee, transmission: 4 })).toEqual(['closed']);
  });

  it('keeps no message of another guarantee waiting while it is called', async () => {
    let release = (): void => undefined;
    handler = async (n) => (n < 8 ? new Promise<void>((done) => (release = done)) : undefined);
    const slow = accept([0], { guarantee });
    await until(() => calls.length === 1);
    expect(await accept([8])).toEqual(['closed']);
    release();
    expect(await slow).toEqual(['closed']);
  });
});

describe('at most once', () => {
  const guarantee = 'at-most-once';

  it('has a row in the loss ledger while it is called, and none when that has ended well', async () => {
    let during: unknown;
    handler = async () => {
      during = await losses();
    };
    expect(await accept([0], { guarantee })).toEqual(['closed']);
    expect(during).toEqual([
      { reason: 'unknown', detail: null, message_id: arriving(0).id, payload: { n: 0 }, under_way: true },
    ]);
    expect(await losses()).toEqual([]);
  });

  it('is not called again when its call has failed: that is a loss, with the error', async () => {
    handler = async () => Promise.reject(new PawlError('away', 'nobody there'));
    expect(await accept([0], { guarantee })).toEqual(['closed']);
    expect(await accept([0], { guarantee, transmission: 2 })).toEqual(['duplicate']);
    expect(calls).toEqual([0]);
    expect(await losses()).toMatchObject([
      { reason: 'handler-failed', detail: 'PawlError: nobody there', under_way: null },
    ]);
  });
});

it('the guarantee of a route travels with its messages', async () => {
  const bus = new InMemoryBus();
  const [orders, shipping] = [await testService({ name: 'orders', bus }), await begin(bus)];
  try {
    const seen: unknown[] = [];
    handler = async (_, { envelope }) => seen.push(envelope.guarantee);
    await Promise.all([orders.runtime.start(), shipping.runtime.start()]);
    for (const guarantee of ['exactly-once', 'at-least-once', 'at-most-once'] as const) {
      const message = outgoing(Noted, new Noted(1), {
        route: route({ to: 'shipping', guarantee }),
        key: 'one',
      });
      await orders.runtime.transactions.run((tx) => orders.runtime.outbox.append(tx, [message]));
    }
    await until(async () => (await count(orders, 'pawl.outbox')) === 0);
    expect(new Set(seen)).toEqual(new Set(['at-least-once', 'at-most-once', undefined]));
    expect(seen).toHaveLength(3);
  } finally {
    await Promise.all([orders.close(), shipping.close()]);
  }
});

/** Its handler counts the call, and does what the test wants. */
function calling(callTimeoutMs = LIMITS.callTimeoutMs): HandlerConsumer {
  return new HandlerConsumer(
    'Test.noted',
    Noted,
    async (data, context) => {
      const { n } = data as unknown as Noted;
      calls.push(n);
      await handler(n, context);
    },
    LIMITS.handlerTimeoutMs,
    callTimeoutMs,
  );
}

async function accept(sequences: number[], fields: Partial<Envelope> = {}): Promise<string[]> {
  return service.runtime.inbox.accept(sequences.map((n) => arriving(n, fields)));
}

/** What a first failing message has left. */
async function attempted(guarantee: 'at-least-once' | 'at-most-once'): Promise<unknown> {
  await accept([0], { guarantee });
  const attempts = (await service.dataSource.query('SELECT errors FROM pawl.inbox_attempt')) as {
    errors: { code: string }[];
  }[];
  const reasons = ((await losses()) as { reason: string }[]).map(({ reason }) => reason);
  return { errors: attempts.flatMap(({ errors }) => errors.map(({ code }) => code)), losses: reasons };
}

async function letters(): Promise<unknown[]> {
  return service.dataSource.query('SELECT reason, errors, envelope FROM pawl.dead_letter');
}

async function losses(): Promise<unknown[]> {
  return service.dataSource.query(
    'SELECT reason, detail, message_id, payload, under_way_until > clock_timestamp() AS under_way FROM pawl.loss',
  );
}
