import { setTimeout as pause } from 'node:timers/promises';
import { createPostgresBackend, Queue, runMigrations } from 'bullmq';
import type { JobType } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

/** Where each service sends its hints. */
const QUEUES = ['hints-orders', 'hints-shipping'];
const LOOK_EVERY_MS = 100;
/** On PostgreSQL what waits in a paused queue counts as paused, a word that BullMQ's types do not have. */
const NOT_TAKEN = ['waiting', 'paused'] as unknown as readonly JobType[];

interface Opened {
  readonly queues: readonly Queue[];
  disconnect(): Promise<void>;
}

/**
 * Takes away every hint before a worker sees it: the queues of hints are paused before anybody uses them, and what arrives
 * there is deleted. Work is then found by the services' own look into their tables, or never.
 */
export class HintThief {
  /** Jobs deleted so far. */
  stolen = 0;
  private readonly stopping = new AbortController();
  private readonly working: Promise<void>;

  private constructor(private readonly opened: Opened) {
    this.working = this.work();
  }

  static async open(url: string, prefix: string): Promise<HintThief> {
    const opened = /^rediss?:/.test(url) ? onRedis(url, prefix) : await onPostgres(url, prefix);
    for (const queue of opened.queues) await queue.pause();
    return new HintThief(opened);
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.working;
    await Promise.all(this.opened.queues.map((queue) => queue.close()));
    await this.opened.disconnect();
  }

  private async work(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      for (const queue of this.opened.queues) await this.steal(queue);
      await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined); // the loop's condition tells
    }
  }

  private async steal(queue: Queue): Promise<void> {
    const jobs = await queue.getJobCountByTypes(...NOT_TAKEN);
    if (jobs === 0) return;
    await queue.drain(true);
    this.stolen += jobs;
  }
}

function onRedis(url: string, prefix: string): Opened {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  return {
    queues: QUEUES.map((name) => new Queue(name, { connection, prefix })),
    disconnect: async () => connection.disconnect(),
  };
}

async function onPostgres(url: string, prefix: string): Promise<Opened> {
  const pool = new pg.Pool({ connectionString: url, max: 3, options: '-c search_path=bullmq,public' });
  const client = await pool.connect();
  await runMigrations(client);
  client.release();
  const options = { connection: pool as never };
  return {
    queues: QUEUES.map((name) => new Queue(`${prefix}.${name}`, options, createPostgresBackend as never)),
    disconnect: () => pool.end(),
  };
}
