import { Redis } from 'ioredis';
import { describeWithOwnRedis } from './describe-with-redis.js';
import { startRedis } from './redis-server.js';
import type { RedisServer } from './redis-server.js';

describeWithOwnRedis('a Redis of our own', () => {
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = (await startRedis())!;
    client = new Redis(server.url, { retryStrategy: () => 20 });
    client.on('error', () => undefined); // it is restarted on purpose
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  it.each(['flushAll', 'restart', 'kill'] as const)('is empty after %s', async (loss) => {
    await client.set('key', 'value');
    await server[loss]();
    await server.start();
    expect(await client.get('key')).toBeNull();
  });
});
