import { jest } from '@jest/globals';
import { InMemoryBus } from '@pawl/messaging';
import { forkService, until } from '@pawl/testing';
import { FeedService, SHIPPING_TOKEN } from '../messaging/feed-service.js';
import { effectNumbers, effects, testService, upTo } from '../messaging/service-pair.js';

// Each test starts a process, on a machine that may be busy.
jest.setTimeout(60_000);

const MESSAGES = 20;
let orders: FeedService;
beforeAll(async () => (orders = await FeedService.start()));
afterAll(async () => orders.close());

it.each([
  ['with a page in its hands', 'feed.after-pulling'],
  ['before the page is committed', 'inbox.before-commit'],
  ['before the page is acknowledged', 'inbox.after-commit'],
])('%s: its successor reads on, and each message takes effect once', async (_, crashPoint) => {
  const feeds = [{ from: 'orders', url: orders.url, token: SHIPPING_TOKEN, partitions: 1 }];
  const shipping = await testService({ name: 'shipping', bus: new InMemoryBus(), feeds });
  try {
    await orders.send(upTo(MESSAGES));
    const args = [shipping.database.url, orders.url];
    const dying = forkService('test/messaging/fixtures/feed-reader.ts', { args, crashPoint });
    expect(await dying.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(dying.crashed()).toBe(true);
    // Its lease would be over in some seconds.
    await shipping.dataSource.query('DELETE FROM pawl.feed_reader');
    shipping.runtime.consumers.register(['orders.noted'], effects());
    await shipping.runtime.start();
    await until(async () => (await orders.dataSource.query('SELECT 1 FROM pawl.outbox')).length === 0, {
      what: 'an empty outbox',
      timeoutMs: 20_000,
    });
    expect(await effectNumbers(shipping)).toEqual(upTo(MESSAGES));
  } finally {
    await shipping.close();
  }
});
