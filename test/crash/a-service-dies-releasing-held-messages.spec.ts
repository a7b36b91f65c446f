import { randomUUID } from 'node:crypto';
import { PawlError } from '@pawl/core';
import { forkService } from '@pawl/testing';
import {
  arriving,
  effectNumbers,
  effects,
  RecordingTransport,
  type TestService,
  testService,
} from '../messaging/service-pair.js';

const ENTRY = 'test/messaging/fixtures/service-process.ts';
let shipping: TestService;
let ill = true;

beforeAll(async () => {
  shipping = await testService({
    name: 'shipping',
    bus: new RecordingTransport(),
    limits: { attemptsMax: 1 },
  });
  const real = effects();
  shipping.runtime.consumers.register(['orders.noted'], {
    ...real,
    handle: async (envelopes, tx) => {
      if (ill) throw new PawlError('ill', 'not now');
      return real.handle(envelopes, tx);
    },
  });
});
afterAll(() => shipping.close());

it('after it has counted a try: the try is spent, and the message has its effect once, from the next process on', async () => {
  const order = { subject: 'a', keyorder: 'hold' } as const;
  await shipping.runtime.inbox.accept([arriving(0, order)]);
  await shipping.runtime.inbox.accept([arriving(1, { ...order, previous: 0 })]);
  await shipping.dataSource.query(`UPDATE pawl.dead_letter SET resolved_at = now(), resolution = 'waived'`);
  ill = false;

  const { url } = shipping.database;
  const dying = forkService(ENTRY, {
    args: ['shipping', url, url, `t${randomUUID().slice(0, 8)}`],
    crashPoint: 'held-messages.after-claim',
  });
  expect((await dying.exited).signal).toBe('SIGKILL');
  expect(dying.crashed()).toBe(true);
  expect(await shipping.dataSource.query('SELECT attempts FROM pawl.held_message')).toEqual([
    { attempts: 1 },
  ]);

  const next = await testService({
    name: 'shipping',
    bus: new RecordingTransport(),
    database: shipping.database,
    limits: { attemptsMax: 3 },
  });
  next.runtime.consumers.register(['orders.noted'], effects());
  await shipping.dataSource.query('UPDATE pawl.held_message SET due_at = now()');
  while ((await next.runtime.heldMessages.pass()) > 0);
  await next.close();
  expect(await effectNumbers(shipping)).toEqual([1]);
});
