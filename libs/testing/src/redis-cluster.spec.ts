import { Cluster } from 'ioredis';
import { describeWithOwnRedis } from './describe-with-redis.js';
import { type RedisCluster, startRedisCluster } from './redis-cluster.js';

describeWithOwnRedis('a Redis Cluster', () => {
  let servers: RedisCluster;
  let client: Cluster;

  beforeAll(async () => {
    const started = await startRedisCluster();
    if (!started) throw new Error('no Redis');
    servers = started;
    client = new Cluster(servers.masters.map(({ port }) => ({ host: '127.0.0.1', port })));
  });
  afterAll(async () => {
    client?.disconnect();
    await servers?.stop();
  });

  it('keeps keys on three masters', async () => {
    const keys = Array.from({ length: 60 }, (_, n) => `key-${n}`);
    for (const key of keys) await client.set(key, 'here');
    const sizes = await Promise.all(client.nodes('master').map((master) => master.dbsize()));
    expect(sizes).toHaveLength(3);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(keys.length);
  });

  it('refuses to change keys of two masters at once, as any cluster does', async () => {
    await expect(client.mset('key-1', 'a', 'key-2', 'b')).rejects.toThrow(/same slot|CROSSSLOT/i);
  });
});
