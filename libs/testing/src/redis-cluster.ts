import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from './redis-server.js';
import { until } from './until.js';

const MASTERS = 3;
const SLOTS = 16_384;
const NODE_TIMEOUT_MS = 2_000;
const READY_TIMEOUT_MS = 30_000;
const SETTINGS = {
  'cluster-enabled': 'yes',
  'cluster-config-file': 'nodes.conf',
  'cluster-node-timeout': String(NODE_TIMEOUT_MS),
} as const;

/**
 * Starts three Redis masters on loopback that share the slots of a cluster, without replicas, as {@link startRedis} starts one. Answers
 * undefined where no Redis is installed; `redisRemedy` says what helps.
 *
 * @throws PawlError `server_not_started`, or `until_timeout` if the cluster does not come about
 */
export async function startRedisCluster(): Promise<RedisCluster | undefined> {
  const masters: RedisServer[] = [];
  try {
    while (masters.length < MASTERS) {
      const master = await startRedis({ settings: SETTINGS });
      if (master === undefined) return undefined;
      masters.push(master);
    }
    await form(masters);
    return new RedisCluster(masters);
  } catch (error) {
    await Promise.all(masters.map((master) => master.stop()));
    throw error;
  }
}

export class RedisCluster {
  /** For {@link startRedisCluster}. */
  constructor(readonly masters: readonly RedisServer[]) {}

  /** The address in the form that `openBullBackend` takes, with all masters. */
  get url(): string {
    const [first, ...others] = this.masters.map(({ port }) => `127.0.0.1:${port}`);
    return `redis-cluster://${first}?${others.map((node) => `node=${node}`).join('&')}`;
  }

  /** SIGKILL to all masters. */
  async kill(): Promise<void> {
    await Promise.all(this.masters.map((master) => master.kill()));
  }

  /** Starts again what `kill` ended: empty, but each with its slots. */
  async start(): Promise<void> {
    await Promise.all(this.masters.map((master) => master.start()));
    await agreed(this.masters);
  }

  /** Ends all masters and removes their directories. May be called again. */
  async stop(): Promise<void> {
    await Promise.all(this.masters.map((master) => master.stop()));
  }
}

async function form(masters: readonly RedisServer[]): Promise<void> {
  for (const [n, master] of masters.entries()) {
    const [from, to] = [n, n + 1].map((share) => Math.floor((share * SLOTS) / MASTERS)) as [number, number];
    await talk(master, async (redis) => {
      // Else two masters that meet with the same epoch settle first who has the higher one.
      await redis.cluster('SET-CONFIG-EPOCH', n + 1);
      await redis.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => from + slot));
      for (const { port } of masters.slice(0, n)) await redis.cluster('MEET', '127.0.0.1', port);
    });
  }
  await agreed(masters);
}

/** Every master knows all slots to be served. */
async function agreed(masters: readonly RedisServer[]): Promise<void> {
  const isReady = (master: RedisServer): Promise<boolean> =>
    talk(master, async (redis) => {
      const info = (await redis.cluster('INFO')) as string;
      return /cluster_state:ok/.test(info) && info.includes(`cluster_size:${MASTERS}`);
    });
  await until(async () => (await Promise.all(masters.map(isReady))).every(Boolean), {
    what: 'a Redis Cluster of three masters',
    timeoutMs: READY_TIMEOUT_MS,
    everyMs: 50,
  });
}

async function talk<T>(master: RedisServer, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(master.url, { maxRetriesPerRequest: 1, lazyConnect: true });
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
