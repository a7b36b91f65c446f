import { PawlError } from '@pawl/core';
import { Redis } from 'ioredis';

const SCAN_COUNT = 1000;
const CONNECT_TIMEOUT_MS = 5000;

/** @throws PawlError `redis_unreachable` with a remedy */
export async function checkRedis(url: string): Promise<void> {
  try {
    await withRedis(url, (redis) => redis.ping());
  } catch (cause) {
    const reason = (cause as Error).message;
    const message = `No Redis answers at the address of --redis (${reason}). Start one, or leave --redis away to use PostgreSQL alone.`;
    throw new PawlError('redis_unreachable', message, {}, cause);
  }
}

/** Removes what the demo has put into somebody's Redis, and nothing else. */
export async function removeKeys(url: string, prefix: string): Promise<void> {
  await withRedis(url, async (redis) => {
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', SCAN_COUNT);
      if (keys.length > 0) await redis.unlink(...keys);
      cursor = next;
    } while (cursor !== '0');
  });
}

async function withRedis(url: string, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: () => null,
  });
  let trouble: Error | undefined;
  redis.on('error', (error: Error) => (trouble = error));
  try {
    await redis.connect();
    await work(redis);
  } catch (error) {
    throw trouble ?? error; // the first one says more than "Connection is closed"
  } finally {
    redis.disconnect();
  }
}
