import { jest } from '@jest/globals';
import { forkService, testDatabase, type TestDatabase, until } from '@pawl/testing';
import { randomUUID } from 'node:crypto';
import {
  count,
  effectNumbers,
  effects,
  openSessions,
  sendNumbers,
  testService,
  type TestService,
} from '../messaging/service-pair.js';

// Each test starts a process, on a machine that may be busy.
jest.setTimeout(90_000);

const SENDER = 'settlements.before-commit';
const RECEIVER = 'settlement.before-answer';

let queues: TestDatabase;
let prefix: string;
let orders: TestService;
let shipping: TestService;

beforeEach(async () => {
  queues = await testDatabase({ empty: true });
  prefix = `t${randomUUID().slice(0, 8)}`;
  orders = await testService({ name: 'orders', bus: queues.url, prefix });
  shipping = await testService({ name: 'shipping', bus: queues.url, prefix });
  shipping.runtime.consumers.register(['orders.noted'], effects());
});
afterEach(async () => {
  await orders.close();
  await shipping.close();
  await queues.drop();
});

it.each([SENDER, RECEIVER])(
  'at %s: each waived message is in the loss ledger once, or took effect once',
  async (crashPoint) => {
    await sendNumbers(orders, 8);
    await openSessions(orders);
    const ids = ((await orders.dataSource.query('SELECT id FROM pawl.outbox')) as { id: string }[]).map(
      ({ id }) => id,
    );
    expect(
      await orders.runtime.streams.waive(ids.slice(0, 4), { actor: 'ann', reason: 'a test' }),
    ).toHaveLength(4);
    const [dying, other] = crashPoint === SENDER ? [orders, shipping] : [shipping, orders];
    await other.runtime.start();
    const process = forkService('test/messaging/fixtures/service-process.ts', {
      args: [dying.name, dying.database.url, queues.url, prefix],
      crashPoint,
    });
    expect((await process.exited).signal).toBe('SIGKILL');
    await dying.runtime.start();
    await until(async () => (await count(orders, 'pawl.outbox')) === 0, { timeoutMs: 60_000 });
    const losses = await count(orders, `pawl.loss WHERE reason = 'waived'`);
    expect([losses, await effectNumbers(shipping)]).toEqual([4, expect.any(Array)]);
    expect(new Set(await effectNumbers(shipping)).size).toBe(4);
    expect(await count(shipping, 'effect')).toBe(4);
  },
);
