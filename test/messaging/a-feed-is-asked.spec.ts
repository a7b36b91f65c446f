import { NO_SEALS, OutboxFeed, outgoing, route } from '@pawl/messaging';
import { until } from '@pawl/testing';
import { BILLING_TOKEN, FeedService, SHIPPING_TOKEN } from './feed-service.js';
import { arriving, contentOf, Noted, RecordingTransport, upTo } from './service-pair.js';

const POLLS_MAX = 3;
let orders: FeedService;
// Partitions of their own for each test.
let lastPartition = 0;
const partitions = 64;
const wide = route({ to: 'shipping', partitions, transport: 'feed' });

beforeAll(async () => {
  const transport = new RecordingTransport();
  orders = await FeedService.start({ transport, feed: { pollsMax: POLLS_MAX } });
  transport.answer = async (contents) => orders.runtime.receiver.receive(contents, false);
});
afterAll(async () => orders.close());

/** A key whose messages have a partition for themselves. */
function freshKey(): { key: string; partition: number } {
  const key = upTo(1_000)
    .map((n) => `key-${n}`)
    .find((each) => wide.partitionOf(each) === lastPartition) as string;
  return { key, partition: lastPartition++ };
}

interface Page {
  readonly messages: readonly { readonly body: string }[];
  readonly last: number | null;
  readonly end: boolean;
  readonly incarnation: string;
}

async function page(query: string): Promise<Page> {
  const response = await orders.get(`/feed/orders.shipping?${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}

/** The numbers in the payloads of a page. */
function numbersIn({ messages }: Page): number[] {
  return messages
    .map((message) => contentOf(message as never))
    .flatMap((content) => ('specversion' in content ? [(content.data as { n: number }).n] : []));
}

it('serves what is numbered, page by page, and changes nothing', async () => {
  const { key, partition } = freshKey();
  await orders.send(upTo(5), wide, key);
  await until(async () => (await page(`partition=${partition}&wait=0`)).messages.length === 5);
  const first = await page(`partition=${partition}&limit=3`);
  expect([numbersIn(first), first.last, first.end]).toEqual([[0, 1, 2], 2, false]);
  const second = await page(`partition=${partition}&limit=3&after=2&incarnation=${first.incarnation}`);
  expect([numbersIn(second), second.last, second.end]).toEqual([[3, 4], 4, true]);
  expect(numbersIn(await page(`partition=${partition}&after=4&wait=0`))).toEqual([]);
});

it('starts from the first for a reader that speaks of another incarnation', async () => {
  const { key, partition } = freshKey();
  await orders.send(upTo(2), wide, key);
  await until(async () => (await page(`partition=${partition}&wait=0`)).messages.length === 2);
  const other = '019a0000-0000-7000-8000-000000000001';
  expect(numbersIn(await page(`partition=${partition}&after=1&incarnation=${other}`))).toEqual([0, 1]);
});

it('skips nothing when transactions commit out of order, where a reader by position does', async () => {
  const { key, partition } = freshKey();
  const byPosition = async (after: string): Promise<{ position: string; n: number }[]> =>
    orders.dataSource.query(
      `SELECT position, (payload ->> 'n')::integer AS n FROM pawl.outbox WHERE key = $1 AND position > $2 ORDER BY position`,
      [key, after],
    );
  const first = orders.dataSource.createQueryRunner();
  await first.startTransaction();
  const early = outgoing(Noted, new Noted(1), { route: wide, key });
  await orders.runtime.outbox.appendIn(first.manager, [early]);
  await orders.send([2], wide, key);
  const poll = await page(`partition=${partition}`);
  expect(numbersIn(poll)).toEqual([2]);
  const naive = await byPosition('0');
  expect(naive.map(({ n }) => n)).toEqual([2]);

  await first.commitTransaction();
  await first.release();
  expect(numbersIn(await page(`partition=${partition}&after=${poll.last}`))).toEqual([1]);
  // The control: this reader has passed the place where the first transaction wrote.
  expect(await byPosition(naive[0]?.position ?? '')).toEqual([]);
});

it('answers a waiting poll once a message is numbered', async () => {
  const { key, partition } = freshKey();
  const poll = page(`partition=${partition}&wait=50`);
  await until(() => orders.runtime.feed?.polls.countOf('shipping') === 1);
  await orders.send([7], wide, key);
  expect(numbersIn(await poll)).toEqual([7]);
  expect(orders.runtime.feed?.polls.countOf('shipping')).toBe(0);
});

it('lets so many polls of a reader wait, and frees those whose reader has gone', async () => {
  const { partition } = freshKey();
  const leave = new AbortController();
  const path = `/feed/orders.shipping?partition=${partition}&wait=50`;
  const waiting = upTo(POLLS_MAX).map(async () =>
    orders.get(path, { signal: leave.signal }).catch(() => 'left'),
  );
  await until(() => orders.runtime.feed?.polls.countOf('shipping') === POLLS_MAX);
  const refused = await orders.get(path);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refused.json()).toMatchObject({ code: 'too_many_polls' });
  const other = await orders.get('/feed/orders.billing?partition=0&wait=0', { token: BILLING_TOKEN });
  expect(other.status).toBe(200);
  leave.abort();
  expect(await Promise.all(waiting)).toEqual(Array(POLLS_MAX).fill('left'));
  await until(() => orders.runtime.feed?.polls.countOf('shipping') === 0);
});

it.each([
  ['no token', ''],
  ['another token', 'x'.repeat(40)],
])('answers 401 to %s', async (_, token) => {
  const response = await orders.get('/feed/orders.shipping?partition=0', { token });
  expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
});

it.each([
  ['that is for another service', '/feed/orders.billing?partition=0'],
  ['of another service', '/feed/payments.shipping?partition=0'],
  ['that is none', '/feed/orders?partition=0'],
  [
    'whose payload is asked for and not there',
    '/feed/orders.shipping/payloads/019a0000-0000-7000-8000-000000000001',
  ],
])('answers 404 for a stream %s', async (_, path) => {
  const response = await orders.get(path);
  expect(response.status).toBe(404);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
});

it('answers 400 with all that is wrong', async () => {
  const query = 'partition=-1&after=x&limit=501&wait=51&incarnation=1&sort=;drop';
  const response = await orders.get(`/feed/orders.shipping?${query}`);
  expect(response.status).toBe(400);
  const { code, errors } = (await response.json()) as { code: string; errors: string[] };
  expect(code).toBe('feed_query_invalid');
  expect(errors).toHaveLength(6);
  expect((await orders.get('/feed/orders.shipping')).status).toBe(400);
});

it("takes acknowledgements of the reader's own stream only, and no messages", async () => {
  const post = async (body: unknown): Promise<number> => {
    const headers = { authorization: `Bearer ${SHIPPING_TOKEN}`, 'content-type': 'application/json' };
    const url = `${orders.url}/feed/orders.shipping/acknowledgements`;
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  };
  expect(await post({})).toBe(400);
  const feed = new OutboxFeed(orders.runtime.transactions, {
    service: 'orders',
    tokens: {},
    seals: NO_SEALS,
    pendingQuestions: async () => [],
  });
  const [own, other] = ['orders.shipping', 'orders.billing'].map((stream) => ({
    acknowledgement: { stream },
  }));
  const sent = [own, other, arriving(0, { stream: 'orders.shipping' }), null, 'garbage', {}];
  expect(feed.opened('orders.shipping', sent)).toEqual([own]);
});

it('answers polls that wait when it stops, and takes no time for it', async () => {
  const stopping = await FeedService.start();
  const poll = stopping.get('/feed/orders.shipping?partition=0&wait=50');
  await until(() => stopping.runtime.feed?.polls.countOf('shipping') === 1);
  await stopping.stop();
  expect(await (await poll).json()).toMatchObject({ messages: [], end: true });
  await stopping.close();
});

it('is not there unless it is configured', async () => {
  const { database } = orders;
  await expect(FeedService.start({ database, feed: null })).rejects.toMatchObject({
    code: 'feed_unconfigured',
  });
  const weak = { tokens: { shipping: 'short' } };
  await expect(FeedService.start({ database, feed: weak })).rejects.toMatchObject({
    code: 'messaging_options_invalid',
  });
});
