import { jest } from '@jest/globals';
import { type ForkedService, forkService, testDatabase, type TestDatabase, until } from '@pawl/testing';
import { randomUUID } from 'node:crypto';
import { DEADLY } from './fixtures/killing.js';
import {
  closedRanges,
  count,
  effectNumbers,
  effects,
  openSessions,
  sendNumbers,
  testService,
  type TestService,
  upTo,
} from './service-pair.js';

// Each test starts processes, on a machine that may be busy.
jest.setTimeout(120_000);

const MESSAGES = 200;
let queues: TestDatabase;
let orders: TestService;
let shipping: TestService;
let prefix: string;
const forks: ForkedService[] = [];

beforeEach(async () => {
  queues = await testDatabase({ empty: true });
  prefix = `t${randomUUID().slice(0, 8)}`;
  orders = await testService({ name: 'orders', bus: queues.url, prefix });
  shipping = await testService({ name: 'shipping', bus: queues.url, prefix });
  shipping.runtime.consumers.register(['orders.noted'], effects());
});
afterEach(async () => {
  for (const fork of forks.splice(0)) {
    fork.kill('SIGKILL');
    await fork.exited;
  }
  await orders.close();
  await shipping.close();
  await queues.drop();
});

describe('the sender, and its numbers stay what they are', () => {
  it.each([
    'relay.after-numbering',
    'relay.after-publish',
    'retransmitter.after-taking',
    'retransmitter.after-publish',
  ])('at %s', async (crashPoint) => {
    await sendNumbers(orders, MESSAGES);
    await openSessions(orders);
    const dying = run('orders', orders.database.url, crashPoint);
    expect((await dying.exited).signal).toBe('SIGKILL');
    expect(dying.crashed()).toBe(true);
    const before = await numbers();
    expect(before.size).toBeGreaterThan(0);

    // Another relay comes, and new messages: none may get a number that is out.
    await sendNumbers(orders, MESSAGES, { from: MESSAGES });
    while ((await orders.runtime.relay.pass()) > 0);
    const after = await numbers();
    for (const [id, number] of before) expect(after.get(id)).toBe(number);
    expect(new Set(after.values()).size).toBe(2 * MESSAGES);

    await Promise.all([orders.runtime.start(), shipping.runtime.start()]);
    await atRest(2 * MESSAGES);
  });
});

describe('the sender, while its receiver answers', () => {
  it.each(['sessions.before-asking', 'sessions.before-opening', 'acknowledgements.before-commit'])(
    'at %s, and nothing is lost or done twice',
    async (crashPoint) => {
      await shipping.runtime.start();
      await sendNumbers(orders, MESSAGES);
      const dying = run('orders', orders.database.url, crashPoint);
      expect((await dying.exited).signal).toBe('SIGKILL');
      expect(dying.crashed()).toBe(true);
      await orders.runtime.start();
      await atRest(MESSAGES);
    },
  );
});

describe('the receiver', () => {
  it.each(['sessions.before-answer', 'inbox.before-commit', 'inbox.after-commit'])(
    'at %s, and each message takes effect once',
    async (crashPoint) => {
      await orders.runtime.start();
      await sendNumbers(orders, MESSAGES);
      const dying = run('shipping', shipping.database.url, crashPoint);
      expect((await dying.exited).signal).toBe('SIGKILL');
      expect(dying.crashed()).toBe(true);
      await shipping.runtime.start();
      await atRest(MESSAGES);
    },
  );

  it('of one message, again and again, until it is a dead letter and the others have gone through', async () => {
    await orders.runtime.start();
    await sendNumbers(orders, 20, { from: DEADLY - 10 });
    let deaths = 0;
    await until(
      async () => {
        const fork = run('shipping', shipping.database.url);
        const ended = await Promise.race([
          fork.exited.then(() => true),
          until(async () => (await count(shipping, 'pawl.dead_letter')) > 0, { timeoutMs: 60_000 }).then(
            () => false,
          ),
        ]);
        if (ended) deaths++;
        return !ended;
      },
      { timeoutMs: 60_000 },
    );
    await until(async () => (await count(orders, 'pawl.outbox')) === 0);
    expect(deaths).toBeGreaterThanOrEqual(3);
    expect(await effectNumbers(shipping)).toEqual(
      upTo(20)
        .map((n) => DEADLY - 10 + n)
        .filter((n) => n !== DEADLY),
    );
    expect(await shipping.dataSource.query('SELECT payload, reason FROM pawl.dead_letter')).toEqual([
      { payload: { n: DEADLY }, reason: 'attempts_exhausted' },
    ]);
  });
});

function run(name: string, url: string, crashPoint?: string): ForkedService {
  const args = [name, url, queues.url, prefix];
  const fork = forkService('test/messaging/fixtures/service-process.ts', {
    args,
    ...(crashPoint && { crashPoint }),
  });
  forks.push(fork);
  return fork;
}

/** Where each message stands that has a number. */
async function numbers(): Promise<Map<string, string>> {
  const rows = (await orders.dataSource.query(
    `SELECT id, destination || '/' || partition || '/' || sequence AS number FROM pawl.outbox WHERE sequence IS NOT NULL`,
  )) as { id: string; number: string }[];
  return new Map(rows.map(({ id, number }) => [id, number]));
}

async function atRest(messages: number): Promise<void> {
  await until(async () => (await count(orders, 'pawl.outbox')) === 0, {
    what: 'an empty outbox',
    timeoutMs: 20_000,
  });
  expect(await effectNumbers(shipping)).toEqual(upTo(messages));
  for (const closed of await closedRanges(shipping)) expect(closed).toMatch(/^\{\[0,\d+\)\}$/);
}
