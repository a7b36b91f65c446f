import { PawlError } from '@pawl/core';
import { type Envelope, type MessageConsumer } from '@pawl/messaging';
import { HandlerConsumer } from '../../libs/messaging/src/inbox/on-message.js';
import {
  arriving,
  closedRanges,
  count,
  effects,
  Noted,
  RecordingTransport,
  type TestService,
  testService,
} from './service-pair.js';

const LIMITS = { attemptsMax: 1, heldPerKeyMax: 3, heldMax: 4, firstIntervalMs: 1, longestIntervalMs: 1 };
let shipping: TestService;
/** Numbers whose handler throws. */
const ill = new Set<number>();

beforeAll(async () => {
  shipping = await testService({ name: 'shipping', bus: new RecordingTransport(), limits: LIMITS });
  await shipping.dataSource.query('ALTER TABLE effect ADD COLUMN place bigint GENERATED ALWAYS AS IDENTITY');
  shipping.runtime.consumers.register(['orders.noted'], falling());
});
afterAll(() => shipping.close());
beforeEach(async () => {
  ill.clear();
  await shipping.dataSource.query(
    'TRUNCATE effect, pawl.dead_letter, pawl.held_message, pawl.inbox_stream, pawl.inbox_attempt',
  );
});

it('what stands behind it is stored and waits, its numbers close, and other keys go on', async () => {
  ill.add(0);
  expect(await accept([at(0, 'a'), at(1, 'b'), at(2, 'a', 0)])).toEqual(['closed', 'closed', 'closed']);
  expect(await accept([at(3, 'a', 2), at(4, 'b', 1)])).toEqual(['closed', 'closed']);
  expect(await done()).toEqual([1, 4]);
  expect(await count(shipping, 'pawl.held_message')).toBe(2);
  expect(await closedRanges(shipping)).toEqual(['{[0,5)}']);
  expect(await release()).toBe(0);
});

it.each(['waived', 'redriven'] as const)(
  'once it is %s they are handled in their order',
  async (resolution) => {
    ill.add(0);
    await accept([at(0, 'a'), at(1, 'a', 0), at(2, 'a', 1)]);
    ill.clear();
    await settle(resolution);
    // Not released yet: what comes now stands behind them.
    expect(await accept([at(3, 'a', 2)])).toEqual(['closed']);
    expect(await release()).toBe(3);
    expect(await accept([at(4, 'a')])).toEqual(['closed']);
    expect(await done()).toEqual(resolution === 'waived' ? [1, 2, 3, 4] : [0, 1, 2, 3, 4]);
    expect(await count(shipping, 'pawl.held_message')).toBe(0);
  },
);

it('two processes release it side by side, and each message has its effect once and in its turn', async () => {
  ill.add(0);
  await accept([at(0, 'a'), at(1, 'a', 0), at(2, 'a', 1), at(3, 'a', 2)]);
  ill.clear();
  await settle('waived');
  await Promise.all([release(), release()]);
  await release();
  expect(await done()).toEqual([1, 2, 3]);
});

it('one of them that fails becomes a dead letter, and holds the others in turn', async () => {
  ill.add(0).add(1);
  await accept([at(0, 'a'), at(1, 'a', 0), at(2, 'a', 1)]);
  await settle('waived');
  await release();
  expect(await done()).toEqual([]);
  expect(await deadLetters()).toEqual([
    { n: 1, reason: 'attempts_exhausted', errors: [expect.objectContaining({ code: 'ill' })] },
  ]);
  ill.clear();
  await settle('redriven');
  await release();
  expect(await done()).toEqual([1, 2]);
});

it('one that ended its process so often becomes a dead letter without being tried again', async () => {
  ill.add(0);
  await accept([at(0, 'a'), at(1, 'a', 0)]);
  await shipping.dataSource.query('UPDATE pawl.held_message SET attempts = $1', [LIMITS.attemptsMax]);
  await settle('waived');
  await release();
  expect([await done(), await deadLetters()]).toEqual([
    [],
    [{ n: 1, reason: 'attempts_exhausted', errors: [] }],
  ]);
});

it('a route that lets its keys pass goes on', async () => {
  ill.add(0);
  const pass = { keyorder: 'pass' } as const;
  expect(await accept([at(0, 'a', undefined, pass), at(1, 'a', 0, pass)])).toEqual(['closed', 'closed']);
  expect(await done()).toEqual([1]);
});

it('a handler buries a message itself, and none behind it in the same batch is handled', async () => {
  const strict = at(0, 'a', undefined, { type: 'orders.strict', data: { n: 'not a number' } });
  const next = at(1, 'a', 0, { type: 'orders.strict' });
  shipping.runtime.consumers.register(
    ['orders.strict'],
    new HandlerConsumer('strict', Noted, () => undefined, 1_000),
  );
  expect(await accept([strict, next])).toEqual(['closed', 'closed']);
  expect(await count(shipping, 'pawl.held_message')).toBe(1);
});

it('no more are stored than the limits allow, of a key and in all; the others stay open', async () => {
  ill.add(0).add(1);
  await accept([at(0, 'a'), at(1, 'b')]);
  const behind = [at(2, 'a', 0), at(3, 'a', 2), at(4, 'a', 3), at(5, 'a', 4)];
  expect(await accept(behind)).toEqual(['closed', 'closed', 'closed', 'open']);
  expect(await accept([at(6, 'b', 1), at(7, 'b', 6)])).toEqual(['closed', 'open']);
});

function at(sequence: number, subject: string, previous?: number, fields: Partial<Envelope> = {}): Envelope {
  const order = { keyorder: 'hold', ...(previous === undefined ? {} : { previous }) } as const;
  return arriving(sequence, { subject, ...order, ...fields });
}

async function accept(envelopes: Envelope[]): Promise<string[]> {
  return shipping.runtime.inbox.accept(envelopes);
}

/** Handles all that nothing holds; answers how much that was. */
async function release(): Promise<number> {
  let released = 0;
  for (let done = 1; done > 0; released += done) done = await shipping.runtime.heldMessages.pass();
  return released;
}

/** As an operator does, through the duty that carries it out. */
async function settle(resolution: 'waived' | 'redriven'): Promise<void> {
  const { deadLetters: letters, redriver } = shipping.runtime;
  const ids = (await letters.list()).map(({ id }) => id);
  const because = { actor: 'ann', reason: 'the handler is mended' };
  await (resolution === 'waived' ? letters.waive(ids, because) : letters.redrive(ids, because));
  while ((await redriver.pass()) > 0);
}

function falling(): MessageConsumer {
  const real = effects();
  return {
    name: 'falling',
    handle: async (envelopes, tx) => {
      if (envelopes.some(({ sequence }) => ill.has(sequence))) throw new PawlError('ill', 'not now');
      return real.handle(envelopes, tx);
    },
  };
}

async function done(): Promise<number[]> {
  const rows = await shipping.dataSource.query('SELECT n FROM effect ORDER BY place');
  return (rows as { n: number }[]).map(({ n }) => n);
}

async function deadLetters(): Promise<unknown[]> {
  return shipping.dataSource.query(
    `SELECT (payload ->> 'n')::integer AS n, reason, errors FROM pawl.dead_letter WHERE resolved_at IS NULL`,
  );
}
