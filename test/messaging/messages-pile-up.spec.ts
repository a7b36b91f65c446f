import { outgoing, problemOf, route } from '@pawl/messaging';
import {
  arriving,
  count,
  Noted,
  RecordingTransport,
  sendNumbers,
  type TestService,
  testService,
  upTo,
} from './service-pair.js';

const BACKLOG_MAX = 10;
const narrow = route({ to: 'shipping', backlogMax: BACKLOG_MAX });
const wide = route({ to: 'shipping' });
let orders: TestService;

beforeAll(async () => {
  orders = await testService({ name: 'orders', bus: new RecordingTransport() });
});
afterAll(() => orders.close());
beforeEach(async () => {
  await orders.dataSource.query(
    'TRUNCATE pawl.outbox, pawl.outbox_stream, pawl.inbox_stream, pawl.inbox_attempt',
  );
  orders.runtime.outbox.assertRoom(wide);
  await orders.runtime.backlogs.pass();
});

it('and the edge is told to come back later, while what is done already is always written', async () => {
  await sendNumbers(orders, BACKLOG_MAX);
  await orders.runtime.backlogs.pass();
  const refused = await append().catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: 'route_congested',
    details: { to: 'shipping', backlogMax: BACKLOG_MAX },
  });
  expect(problemOf(refused)).toMatchObject({ status: 503, code: 'route_congested' });
  expect(() => orders.runtime.outbox.assertRoom(narrow)).toThrow(
    expect.objectContaining({ code: 'route_congested' }),
  );
  orders.runtime.outbox.assertRoom(wide);
  await sendNumbers(orders, 1, { from: BACKLOG_MAX });
  expect(await count(orders, 'pawl.outbox')).toBe(BACKLOG_MAX + 1);
});

it('counts what is out too, and there is room again once that is acknowledged', async () => {
  await orders.dataSource.query(
    `INSERT INTO pawl.outbox_stream (destination, partition, incarnation, unacknowledged)
     SELECT 'shipping', n, '019a0000-0000-7000-8000-000000000001', $1 / 2 FROM generate_series(0, 1) n`,
    [BACKLOG_MAX],
  );
  await orders.runtime.backlogs.pass();
  await expect(append()).rejects.toMatchObject({ code: 'route_congested' });
  await orders.dataSource.query('UPDATE pawl.outbox_stream SET unacknowledged = 0');
  await orders.runtime.backlogs.pass();
  await append();
  expect(await count(orders, 'pawl.outbox')).toBe(1);
});

it('a message whose handler would have to send stays open, and spends no attempt', async () => {
  await sendNumbers(orders, BACKLOG_MAX);
  await orders.runtime.backlogs.pass();
  orders.runtime.consumers.register(['shipping.noted'], {
    name: 'answering',
    handle: async (_, tx) => {
      const lent = tx.lend();
      await orders.runtime.outbox.appendIn(lent.manager, [
        outgoing(Noted, new Noted(1), { route: narrow, key: 'a' }),
      ]);
      lent.revoke();
      return [];
    },
  });
  const noted = { source: 'shipping', stream: 'shipping.orders', type: 'shipping.noted' };
  const outcomes = await orders.runtime.inbox.accept(upTo(2).map((n) => arriving(n, noted)));
  expect([outcomes, await count(orders, 'pawl.inbox_attempt')]).toEqual([['open', 'open'], 0]);
});

it('in memory, and the inbox takes no more than it can hold: the rest comes again', async () => {
  let goOn = (): void => undefined;
  const gate = new Promise<void>((open) => (goOn = open));
  const shipping = await testService({
    name: 'shipping',
    bus: new RecordingTransport(),
    limits: { acceptedMax: 5 },
  });
  shipping.runtime.consumers.register(['orders.noted'], {
    name: 'slow',
    handle: async () => gate.then(() => []),
  });
  const first = shipping.runtime.inbox.accept(upTo(4).map((n) => arriving(n)));
  expect(await shipping.runtime.inbox.accept([arriving(4), arriving(5)])).toEqual(['open', 'open']);
  goOn();
  expect(await first).toEqual(Array(4).fill('closed'));
  expect(await shipping.runtime.inbox.accept([arriving(4), arriving(5)])).toEqual(['closed', 'closed']);
  await shipping.close();
});

async function append(): Promise<void> {
  const message = outgoing(Noted, new Noted(0), { route: narrow, key: 'a' });
  await orders.dataSource.transaction((manager) => orders.runtime.outbox.appendIn(manager, [message]));
}
