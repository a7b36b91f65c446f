import { PawlError } from '@pawl/core';
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';

export type RedisClient = Redis | Cluster;
export type Ioredis = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>;
export type Role = 'producer' | 'consumer';

/** Where the queues are: one server, or the masters of a cluster. */
export interface RedisPlace {
  /** A client that is not connected yet. */
  client(ioredis: Ioredis, role: Role): RedisClient;
  /** What the keys of a queue begin with. */
  prefixOf(queue: string): string;
}

const CONNECT_TIMEOUT_MS = 5_000;
const DISCONNECT_TIMEOUT_MS = 200;
const RECONNECT_MAX_MS = 2_000;
const SLOTS_REFRESH_TIMEOUT_MS = 5_000;

/** BullMQ demands of a connection that blocks that it goes on trying; a producer refuses, and its caller knows what to do. */
const RETRIES_PER_REQUEST = { producer: 1, consumer: null } as const;

const COMMON: RedisOptions = { connectTimeout: CONNECT_TIMEOUT_MS, disconnectTimeout: DISCONNECT_TIMEOUT_MS };

function reconnectAfter(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS);
}

/** One server: `redis://` or, over TLS, `rediss://`. */
export function redisServer(url: string, prefix: string): RedisPlace {
  return {
    client: ({ Redis }, role) =>
      new Redis(url, {
        ...COMMON,
        lazyConnect: true,
        // A producer does not queue commands while Redis is away.
        enableOfflineQueue: role === 'consumer',
        maxRetriesPerRequest: RETRIES_PER_REQUEST[role],
        retryStrategy: reconnectAfter,
      }),
    prefixOf: () => prefix,
  };
}

/**
 * A cluster: `redis-cluster://host:7000?node=other:7000&node=third:7000`, over TLS `rediss-cluster://`. One node that answers is enough, it
 * knows the others. All keys of a queue have to be on one master, so each queue's name is a hash tag, which spreads queues over the masters;
 * with a prefix that is a hash tag already (`{pawl}`) they all are on one.
 *
 * @throws PawlError `bus_url_invalid`
 */
export function redisCluster(url: string, prefix: string): RedisPlace {
  const { nodes, options } = readClusterUrl(url);
  return {
    client: ({ Cluster }, role) =>
      new Cluster(nodes, {
        lazyConnect: true,
        enableOfflineQueue: role === 'consumer',
        clusterRetryStrategy: reconnectAfter,
        slotsRefreshTimeout: SLOTS_REFRESH_TIMEOUT_MS,
        ...options,
        redisOptions: { ...COMMON, ...options.redisOptions, maxRetriesPerRequest: RETRIES_PER_REQUEST[role] },
      }),
    prefixOf: (queue) => (prefix.includes('{') ? prefix : `{${prefix}:${queue}}`),
  };
}

interface Node {
  readonly host: string;
  readonly port: number;
}

function readClusterUrl(text: string): { nodes: Node[]; options: ClusterOptions } {
  if (!URL.canParse(text)) throw invalid();
  const { protocol, host, username, password, searchParams } = new URL(text);
  const redisOptions: RedisOptions = {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  };
  const nodes = [host, ...searchParams.getAll('node')].map(readNode);
  if (protocol === 'redis-cluster:') return { nodes, options: { redisOptions } };
  // Names are not resolved to addresses, for certificates hold names.
  const dnsLookup: ClusterOptions['dnsLookup'] = (address, done) => done(null, address);
  return { nodes, options: { dnsLookup, redisOptions: { ...redisOptions, tls: {} } } };
}

function readNode(text: string): Node {
  if (text === '' || !URL.canParse(`redis://${text}`)) throw invalid();
  const { hostname, port, pathname } = new URL(`redis://${text}`);
  if (hostname === '' || pathname !== '') throw invalid();
  return { host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port || 6379) };
}

function invalid(): PawlError {
  return new PawlError(
    'bus_url_invalid',
    'The URL of a Redis Cluster names one node, and others if you like: redis-cluster://host:7000?node=other:7000.',
  );
}
