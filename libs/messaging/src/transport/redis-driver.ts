import { PawlError } from '@pawl/core';
import { type Processor, Queue, Worker, type WorkerOptions } from 'bullmq';
import type { Redis, RedisOptions } from 'ioredis';
import type { BullDriver, OpenWorker } from './bull-driver.js';
import { within } from './within.js';

const CONNECT_TIMEOUT_MS = 5_000;
const DISCONNECT_TIMEOUT_MS = 200;
const PING_TIMEOUT_MS = 5_000;
const RECONNECT_MAX_MS = 2_000;

/** A producer does not queue commands while Redis is away: it refuses, and its caller knows what to do. */
const PRODUCER = { enableOfflineQueue: false, maxRetriesPerRequest: 1 } as const;
/** BullMQ demands this of a connection that blocks. */
const CONSUMER = { maxRetriesPerRequest: null } as const;

/** BullMQ on Redis (or Valkey) by way of ioredis, which is loaded when it is first needed. */
export class RedisDriver implements BullDriver {
  readonly kind = 'redis';
  private loading: Promise<typeof Redis> | undefined;
  private Client: typeof Redis | undefined;
  private producer: Redis | undefined;
  private connecting: Promise<void> | undefined;
  private readonly clients = new Set<Redis>();

  constructor(
    private readonly url: string,
    private readonly options: { readonly prefix: string },
  ) {}

  async ping(): Promise<void> {
    this.Client = await (this.loading ??= loadRedis());
    this.producer ??= this.connect(PRODUCER);
    // Whoever comes while it connects for the first time waits for that; after a failure it connects by itself, and until it has,
    // PING is refused at once.
    if (this.producer.status === 'wait') this.connecting = this.producer.connect().catch(() => undefined);
    await this.connecting;
    await within(this.producer.ping(), PING_TIMEOUT_MS, 'PING');
  }

  newQueue(name: string): Queue {
    return new Queue(name, { connection: this.producer as Redis, prefix: this.options.prefix });
  }

  newWorker(name: string, processor: Processor, options: Omit<WorkerOptions, 'connection'>): OpenWorker {
    const connection = this.connect(CONSUMER);
    const worker = new Worker(name, processor, { ...options, connection, prefix: this.options.prefix });
    const abandon = async (): Promise<void> => {
      this.clients.delete(connection);
      connection.disconnect();
      await within(worker.getBackend().close(true), PING_TIMEOUT_MS, 'closing').catch(() => undefined);
    };
    return { worker, abandon };
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.disconnect();
  }

  private connect(options: RedisOptions): Redis {
    const Client = this.Client as typeof Redis;
    const client = new Client(this.url, {
      ...options,
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS),
    });
    // Without a listener an error would end the process; queues and workers report it.
    client.on('error', () => undefined);
    this.clients.add(client);
    return client;
  }
}

async function loadRedis(): Promise<typeof Redis> {
  try {
    return (await import('ioredis')).Redis;
  } catch (error) {
    throw new PawlError(
      'ioredis_missing',
      'A redis:// URL needs the package ioredis, which is not installed: npm install ioredis@5.',
      {},
      error,
    );
  }
}
