import { PawlError } from '@pawl/core';
import { type Processor, Queue, Worker, type WorkerOptions } from 'bullmq';
import type { BullDriver, OpenWorker } from './bull-driver.js';
import type { Ioredis, RedisClient, RedisPlace, Role } from './redis-place.js';
import { within } from './within.js';

const PING_TIMEOUT_MS = 5_000;

/** BullMQ on Redis (or Valkey), one server or a cluster, by way of ioredis, which is loaded when it is first needed. */
export class RedisDriver implements BullDriver {
  readonly kind = 'redis';
  private loading: Promise<Ioredis> | undefined;
  private ioredis: Ioredis | undefined;
  private producer: RedisClient | undefined;
  private connecting: Promise<void> | undefined;
  private readonly clients = new Set<RedisClient>();

  constructor(private readonly place: RedisPlace) {}

  async ping(): Promise<void> {
    this.ioredis = await (this.loading ??= loadIoredis());
    this.producer ??= this.connect('producer');
    // Whoever comes while it connects for the first time waits for that; after a failure it connects by itself, and until it has,
    // PING is refused at once.
    if (this.producer.status === 'wait') this.connecting = this.producer.connect().catch(() => undefined);
    await this.connecting;
    await within(this.producer.ping(), PING_TIMEOUT_MS, 'PING');
  }

  newQueue(name: string): Queue {
    const connection = this.producer as RedisClient;
    return new Queue(name, { connection, prefix: this.place.prefixOf(name) });
  }

  newWorker(name: string, processor: Processor, options: Omit<WorkerOptions, 'connection'>): OpenWorker {
    const connection = this.connect('consumer');
    const worker = new Worker(name, processor, { ...options, connection, prefix: this.place.prefixOf(name) });
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

  private connect(role: Role): RedisClient {
    const client = this.place.client(this.ioredis as Ioredis, role);
    // Without a listener an error would end the process; queues and workers report it.
    client.on('error', () => undefined);
    this.clients.add(client);
    return client;
  }
}

async function loadIoredis(): Promise<Ioredis> {
  try {
    return await import('ioredis');
  } catch (error) {
    throw new PawlError(
      'ioredis_missing',
      'A redis:// URL needs the package ioredis, which is not installed: npm install ioredis@5.',
      {},
      error,
    );
  }
}
