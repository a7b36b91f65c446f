import { BusyError, DutyLoop, PawlError } from '@pawl/core';
import type { Envelope, MessageConsumer } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { HandlerConsumer } from '../../libs/messaging/src/inbox/on-message.js';
import {
  arriving,
  count,
  effectNumbers,
  effects,
  Noted,
  RecordingTransport,
  testService,
  type TestService,
} from './service-pair.js';

const BY = { actor: 'ann', reason: 'the handler is mended' };
let shipping: TestService;
let ill: boolean;
let seen: Envelope[];
/** What happens in the handler beside. */
let meanwhile: () => Promise<unknown>;

beforeAll(async () => {
  shipping = await testService({
    name: 'shipping',
    bus: new RecordingTransport(),
    limits: { attemptsMax: 1, handlerTimeoutMs: 500 },
  });
  shipping.runtime.consumers.register(['orders.noted'], illConsumer());
});
afterAll(() => shipping.close());

beforeEach(async () => {
  [ill, seen, meanwhile] = [true, [], async () => undefined];
  await shipping.dataSource.query('TRUNCATE effect, pawl.dead_letter, pawl.loss');
});

it('goes to its consumers as it came, takes effect once, and its row says by whom and why', async () => {
  const [letter] = await buried(1);
  ill = false;
  expect(await letters().redrive([letter], BY)).toEqual([letter]);
  await redriveAll();
  const message = lastArrived();
  expect(seen.at(-1)).toEqual(message);
  expect(await effectNumbers(shipping)).toEqual([message.sequence]);
  expect(await letters().find(letter)).toMatchObject({
    ...{ resolution: 'redriven', resolvedAt: expect.any(Date) as Date, requested: null, tries: 1 },
    ...{ actor: 'ann', actorReason: 'the handler is mended', messageId: message.id },
    errors: [{ code: 'ill' }],
  });
  expect(await shipping.runtime.inbox.accept([message])).toEqual(['duplicate']);
  expect(await letters().redrive([letter], BY)).toEqual([]);
});

it('stays the same row if it fails again, with one error more, and can be redriven once more', async () => {
  const [letter] = await buried(1);
  await letters().redrive([letter], BY);
  await redriveAll();
  expect(await letters().find(letter)).toMatchObject({
    ...{ resolution: null, requested: null, tries: 1 },
    errors: [{ code: 'ill' }, { code: 'ill' }],
  });
  expect([await count(shipping, 'pawl.dead_letter'), await effectNumbers(shipping)]).toEqual([1, []]);
  ill = false;
  await letters().redrive([letter], BY);
  await redriveAll();
  expect(await effectNumbers(shipping)).toEqual([lastArrived().sequence]);
});

it('keeps its first error and the newest, a hundred in all', async () => {
  const [letter] = await buried(1);
  await shipping.dataSource.query(
    `UPDATE pawl.dead_letter SET errors = (SELECT jsonb_agg(jsonb_build_object('code', n)) FROM generate_series(0, 99) n)`,
  );
  await letters().redrive([letter], BY);
  await redriveAll();
  const { errors = [] } = (await letters().find(letter)) ?? {};
  expect([errors.length, ...[0, 1, 98, 99].map((n) => errors[n]?.code)]).toEqual([100, 0, 2, 99, 'ill']);
});

it('stays the same row when nobody handles its type', async () => {
  const [letter] = await buried(1);
  await shipping.dataSource.query(
    `UPDATE pawl.dead_letter SET envelope = envelope || '{"type": "orders.unheard-of"}'`,
  );
  await letters().redrive([letter], BY);
  await redriveAll();
  expect(await letters().list()).toMatchObject([{ id: letter, requested: null, tries: 1 }]);
  expect((await letters().find(letter))?.errors.at(-1)).toMatchObject({ code: 'unknown_type' });
});

it('is not resolved when its consumer buries it again', async () => {
  const strict = new HandlerConsumer('Test.strict', Noted, () => undefined, 1_000);
  shipping.runtime.consumers.register(['orders.strict'], strict);
  await shipping.runtime.inbox.accept([
    arriving(nextSequence(), { type: 'orders.strict', data: { n: 'x' } }),
  ]);
  const [first] = await letters().list();
  await letters().redrive([first?.id ?? ''], BY);
  await redriveAll();
  expect(await letters().list()).toMatchObject([{ id: first?.id, requested: null, tries: 1 }]);
  expect((await letters().find(first?.id ?? ''))?.errors).toMatchObject([{ code: 'invalid_payload' }]);
});

it('takes effect once when two ask for it, and two processes carry it out', async () => {
  const ids = await buried(5);
  ill = false;
  const asked = await Promise.all([letters().redrive(ids, BY), letters().redrive(ids.toReversed(), BY)]);
  expect(asked.flat().sort()).toEqual(ids.toSorted());
  await Promise.all([redriveAll(), redriveAll(), redriveAll()]);
  expect(await effectNumbers(shipping)).toHaveLength(5);
  expect(await letters().list({ resolved: true })).toHaveLength(5);
});

it('waits while the database is busy, and no try is spent', async () => {
  const [letter] = await buried(1);
  ill = false;
  meanwhile = async () => Promise.reject(new BusyError(undefined));
  await letters().redrive([letter], BY);
  expect(await shipping.runtime.redriver.pass()).toBe(1);
  expect(await letters().find(letter)).toMatchObject({ requested: 'redrive', errors: [{ code: 'ill' }] });
  meanwhile = async () => undefined;
  const loop = new DutyLoop(shipping.runtime.redriver, () => undefined);
  loop.start();
  await until(async () => (await letters().find(letter))?.resolution === 'redriven');
  await loop.stop();
});

it('does nothing that commits when it has taken longer than its lease and others have begun it again', async () => {
  const [letter] = await buried(1);
  ill = false;
  await letters().redrive([letter], BY);
  meanwhile = () => shipping.dataSource.query('UPDATE pawl.dead_letter SET tries = tries + 1');
  await shipping.runtime.redriver.pass();
  expect(await effectNumbers(shipping)).toEqual([]);
  expect(await letters().find(letter)).toMatchObject({ requested: 'redrive', resolution: null });
});

it('is open again, with the reason, when every try of it has ended its process', async () => {
  const [letter] = await buried(1);
  ill = false;
  await letters().redrive([letter], BY);
  await shipping.dataSource.query('UPDATE pawl.dead_letter SET tries = 3, tries_left = 0');
  await redriveAll();
  const record = await letters().find(letter);
  expect(record).toMatchObject({ requested: null, resolution: null });
  expect(record?.errors.at(-1)).toMatchObject({ code: 'redrive_unfinished' });
  expect(await effectNumbers(shipping)).toEqual([]);
});

it('is waived without effect, and the effect that is missing stands in the loss ledger', async () => {
  const [letter] = await buried(1);
  ill = false;
  expect(await letters().waive([letter], { actor: 'bob', reason: 'sent by post' })).toEqual([letter]);
  await redriveAll();
  expect(await letters().find(letter)).toMatchObject({ resolution: 'waived', actor: 'bob' });
  expect(await shipping.dataSource.query('SELECT id, reason, detail, message_id FROM pawl.loss')).toEqual([
    { id: letter, reason: 'waived', detail: 'bob: sent by post', message_id: lastArrived().id },
  ]);
  expect(await effectNumbers(shipping)).toEqual([]);
});

it('lists page by page, oldest first, what nobody has dealt with', async () => {
  const ids = await buried(3);
  const page = await letters().list({ limit: 2 });
  expect(page.map(({ id }) => id)).toEqual(ids.slice(0, 2));
  expect((await letters().list({ after: page.at(-1)?.id ?? '' })).map(({ id }) => id)).toEqual(ids.slice(2));
});

it.each([
  [[], BY],
  [['x'], BY],
  [[arriving(0).id], { ...BY, actor: ' ' }],
  [[arriving(0).id], { ...BY, reason: 'x'.repeat(1_001) }],
])('refuses a request that says too little: %j', async (ids, by) => {
  await expect(letters().redrive(ids, by)).rejects.toMatchObject({ code: 'dead_letter_request_invalid' });
});

let sequence = 0;
function nextSequence(): number {
  return sequence++;
}

function lastArrived(): Envelope {
  return arriving(sequence - 1);
}

/** Messages that have become dead letters, by the ids of those. */
async function buried(messages: number): Promise<[string, ...string[]]> {
  for (let n = 0; n < messages; n++) await shipping.runtime.inbox.accept([arriving(nextSequence())]);
  return (await letters().list()).map(({ id }) => id) as [string, ...string[]];
}

async function redriveAll(): Promise<void> {
  while ((await shipping.runtime.redriver.pass()) > 0);
}

function letters() {
  return shipping.runtime.deadLetters;
}

function illConsumer(): MessageConsumer {
  const real = effects();
  return {
    name: 'ill',
    handle: async (envelopes, tx) => {
      seen.push(...envelopes);
      await real.handle(envelopes, tx);
      await meanwhile();
      if (ill) throw new PawlError('ill', 'not today');
      return [];
    },
  };
}
