import { type Gap, GapWatch } from '../../libs/messaging/src/inbox/gap-watch.js';
import { arriving, effects, RecordingTransport, type TestService, testService } from './service-pair.js';

const HOUR_MS = 3_600_000;
let shipping: TestService;
let reported: Gap[];
let fetched: Gap[];
let watch: GapWatch;

beforeAll(async () => {
  shipping = await testService({ name: 'shipping', bus: new RecordingTransport() });
  shipping.runtime.consumers.register(['orders.noted'], effects());
});
afterAll(() => shipping.close());
beforeEach(async () => {
  [reported, fetched] = [[], []];
  const onGap = (gap: Gap): number => reported.push(gap);
  const fetch = (gap: Gap): number => fetched.push(gap);
  watch = new GapWatch(shipping.runtime.transactions, { gapDeadlineMs: HOUR_MS, onGap, fetch });
  await shipping.dataSource.query('TRUNCATE pawl.inbox_stream');
});

it('is reported once it is older than its deadline, once, and is gone from the row when its number comes', async () => {
  await accept(0, 1, 3);
  await watch.pass();
  expect([await gap(), reported]).toEqual([{ gap_at: '2', aged: false }, []]);
  await age();
  await watch.pass();
  await watch.pass();
  expect(reported).toEqual([
    expect.objectContaining({
      stream: 'orders.shipping',
      partition: 0,
      missing: 2,
      since: expect.any(Date) as Date,
    }),
  ]);
  await accept(2);
  await watch.pass();
  expect([await gap(), reported.length]).toEqual([{ gap_at: null, aged: null }, 1]);
});

it('is fetched when it is reported and again while it stays, not more often than its deadline says', async () => {
  await accept(1);
  await watch.pass();
  expect(fetched).toEqual([]);
  await age();
  await watch.pass();
  await watch.pass();
  expect(fetched).toEqual(reported);
  await age();
  await watch.pass();
  await watch.pass();
  expect([fetched.map(({ missing }) => missing), reported.length]).toEqual([[0, 0], 1]);
  await age();
  await accept(0);
  await watch.pass();
  expect(fetched.length).toBe(2);
});

it('begins anew when its lowest number has come and another one is missing', async () => {
  await accept(1, 3);
  await watch.pass();
  await age();
  await accept(0);
  await watch.pass();
  expect([await gap(), reported]).toEqual([{ gap_at: '2', aged: false }, []]);
});

it('is reported by one of two processes', async () => {
  await accept(1);
  await watch.pass();
  await age();
  await Promise.all([watch.pass(), watch.pass()]);
  expect(reported.map(({ missing }) => missing)).toEqual([0]);
});

it('holds up nobody: a row that is locked is looked at the next time', async () => {
  await accept(1);
  const holder = shipping.dataSource.createQueryRunner();
  await holder.startTransaction();
  await holder.query('SELECT FROM pawl.inbox_stream FOR UPDATE');
  await watch.pass();
  await holder.rollbackTransaction();
  await holder.release();
  expect(await gap()).toEqual({ gap_at: null, aged: null });
  await watch.pass();
  expect(await gap()).toEqual({ gap_at: '0', aged: false });
});

async function accept(...sequences: number[]): Promise<void> {
  await shipping.runtime.inbox.accept(sequences.map((n) => arriving(n)));
}

async function age(): Promise<void> {
  await shipping.dataSource.query(
    `UPDATE pawl.inbox_stream SET gap_since = gap_since - interval '2 hours', gap_fetched_at = gap_fetched_at - interval '2 hours'`,
  );
}

async function gap(): Promise<unknown> {
  const [row] = (await shipping.dataSource.query(
    `SELECT gap_at, gap_since < now() - interval '1 hour' AS aged FROM pawl.inbox_stream`,
  )) as unknown[];
  return row;
}
