import { until } from '@pawl/testing';
import {
  arriving,
  closedRanges,
  effectNumbers,
  effects,
  RecordingTransport,
  testService,
  upTo,
} from './service-pair.js';
import type { TestService } from './service-pair.js';

let first: TestService;
let second: TestService;

beforeEach(async () => {
  first = await testService({ name: 'shipping', bus: new RecordingTransport() });
  second = await testService({ name: 'shipping', bus: new RecordingTransport(), database: first.database });
});
afterEach(async () => {
  await second.close();
  await first.close();
});

it('the second waits for the first and finds a duplicate', async () => {
  let handling = 0;
  let goOn = (): void => undefined;
  const gate = new Promise<void>((open) => (goOn = open));
  const real = effects();
  const slow = {
    ...real,
    handle: async (...batch: Parameters<typeof real.handle>) => {
      handling++;
      await gate;
      return real.handle(...batch);
    },
  };
  for (const { runtime } of [first, second]) runtime.consumers.register(['orders.noted'], slow);
  const one = first.runtime.inbox.accept([arriving(0)]);
  await until(() => handling === 1);
  const two = second.runtime.inbox.accept([arriving(0)]);
  await until(async () => {
    const waiting = await first.dataSource.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return (waiting as unknown[]).length > 0;
  });
  goOn();
  expect([await one, await two]).toEqual([['closed'], ['duplicate']]);
  expect(await effectNumbers(first)).toEqual([0]);
});

it('however many copies come to however many processes, each message takes effect once', async () => {
  for (const { runtime } of [first, second]) runtime.consumers.register(['orders.noted'], effects());
  const rounds = upTo(20).map((round) => upTo(10).map((n) => arriving(10 * round + n)));
  const copies = rounds.flatMap((batch) =>
    [first, second, first, second].map(({ runtime }) => runtime.inbox.accept(batch)),
  );
  const outcomes = (await Promise.all(copies)).flat();
  expect(outcomes.filter((outcome) => outcome === 'closed')).toHaveLength(200);
  expect(await effectNumbers(first)).toEqual(upTo(200));
  expect(await closedRanges(first)).toEqual(['{[0,200)}']);
});

it('a copy that comes back after a year is still a duplicate', async () => {
  first.runtime.consumers.register(['orders.noted'], effects());
  await first.runtime.inbox.accept(upTo(100).map((n) => arriving(n)));
  expect(await first.runtime.inbox.accept([arriving(7)])).toEqual(['duplicate']);
  expect(await effectNumbers(first)).toEqual(upTo(100));
});

it('the same number of another incarnation of the sender is another message', async () => {
  first.runtime.consumers.register(['orders.noted'], effects());
  const other = arriving(0, { incarnation: '019b0000-0000-7000-8000-000000000001', data: { n: 1 } });
  expect(await first.runtime.inbox.accept([arriving(0), other])).toEqual(['closed', 'closed']);
  expect(await effectNumbers(first)).toEqual([0, 1]);
});
