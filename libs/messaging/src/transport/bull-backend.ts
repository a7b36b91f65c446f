import { PawlError } from '@pawl/core';
import { type BullDriver } from './bull-driver.js';
import { BullQueue } from './bull-queue.js';
import { BullWorker, type BullWorkerOptions, type JobProcessor } from './bull-worker.js';
import { PostgresDriver } from './postgres-driver.js';
import { RedisDriver } from './redis-driver.js';
import { redisCluster, redisServer } from './redis-place.js';

export interface BullBackendOptions {
  /** Keeps apart what shares one server: the key prefix on Redis, part of the queues' names on PostgreSQL. Default 'pawl'. */
  readonly prefix?: string;
  /** Connections of the pool on PostgreSQL; each worker holds one for itself. Default 10. */
  readonly poolMax?: number;
  /** How long `close` waits for what is under way. Milliseconds, default 5,000. */
  readonly closeTimeoutMs?: number;
}

const PREFIX = /^[{}a-z0-9-]{1,40}$/;

/**
 * BullMQ on the server that a URL names: `redis://`, `rediss://` or `redis-cluster://host:7000?node=other:7000` (with `ioredis`), or
 * `postgres://`, `postgresql://` (a database of its own, as BullMQ keeps its schema there). Opening never fails because the server is away: queues refuse and workers wait until it is there,
 * now and after every later outage.
 *
 * @throws PawlError `bus_url_invalid`
 */
export function openBullBackend(url: string, options: BullBackendOptions = {}): BullBackend {
  const { prefix = 'pawl', poolMax = 10, closeTimeoutMs = 5_000 } = options;
  if (!PREFIX.test(prefix)) {
    throw new PawlError(
      'bus_prefix_invalid',
      `The prefix '${prefix}' is not made of lower case letters, digits and hyphens.`,
    );
  }
  return new BullBackend(driverFor(url, { prefix, poolMax }), closeTimeoutMs);
}

/** Queues and workers on one server, sharing its connections. */
export class BullBackend {
  private readonly open = new Set<{ close(): Promise<void> }>();

  /** For {@link openBullBackend}. */
  constructor(
    private readonly driver: BullDriver,
    private readonly closeTimeoutMs: number,
  ) {}

  get kind(): 'redis' | 'postgres' {
    return this.driver.kind;
  }

  /** A queue to add jobs to. Names hold no colon. */
  queue(name: string): BullQueue {
    return this.keep(new BullQueue(this.driver, name));
  }

  /** Starts handing jobs to a processor, now or as soon as the server is there. */
  worker(name: string, processor: JobProcessor, options: BullWorkerOptions = {}): BullWorker {
    return this.keep(
      new BullWorker({ driver: this.driver, name, closeTimeoutMs: this.closeTimeoutMs }, processor, options),
    );
  }

  /** Whether the server answers. */
  async ping(): Promise<boolean> {
    return this.driver.ping().then(
      () => true,
      () => false,
    );
  }

  /** Ends workers, queues and connections, in a bounded time even if the server is away. */
  async close(): Promise<void> {
    await Promise.all([...this.open].map((each) => each.close()));
    await this.driver.close();
  }

  private keep<Kept extends { close(): Promise<void> }>(kept: Kept): Kept {
    this.open.add(kept);
    return kept;
  }
}

function driverFor(url: string, options: { prefix: string; poolMax: number }): BullDriver {
  if (/^rediss?:\/\//.test(url)) return new RedisDriver(redisServer(url, options.prefix));
  if (/^rediss?-cluster:\/\//.test(url)) return new RedisDriver(redisCluster(url, options.prefix));
  if (/^postgres(ql)?:\/\//.test(url)) return new PostgresDriver(url, options);
  throw new PawlError(
    'bus_url_invalid',
    'The URL of the bus begins with redis://, rediss://, redis-cluster://, rediss-cluster:// or postgres://.',
  );
}
