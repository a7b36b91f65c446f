import {
  createPostgresBackend,
  type Processor,
  Queue,
  runMigrations,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import pg from 'pg';
import { guardConnections } from '../guard-connections.js';
import type { BullDriver, OpenWorker } from './bull-driver.js';
import { within } from './within.js';

const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 5_000;
const IDLE_TIMEOUT_MS = 5_000;

/** BullMQ on PostgreSQL: one pool for all queues and workers, BullMQ's own migrations before the first of them. */
export class PostgresDriver implements BullDriver {
  readonly kind = 'postgres';
  private readonly pool: pg.Pool;

  constructor(
    url: string,
    private readonly options: { readonly prefix: string; readonly poolMax: number },
  ) {
    this.pool = new pg.Pool({
      connectionString: url,
      max: options.poolMax,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      // A pool that BullMQ is given must find its tables by itself. A process that is stopped in a transaction, of BullMQ's migrations say, would keep
      // all others from opening.
      options: `-c search_path=bullmq,public -c idle_in_transaction_session_timeout=${IDLE_TIMEOUT_MS}`,
    });
    // Without a listener an idle connection that breaks would end the process; whoever uses the pool next hears of it.
    this.pool.on('error', () => undefined);
    guardConnections(this.pool);
  }

  async ping(): Promise<void> {
    const client = await this.pool.connect();
    try {
      // Each time: does nothing if all is there, and heals a database that was made anew.
      await runMigrations(client);
    } catch (error) {
      client.release(true);
      throw error;
    }
    client.release();
  }

  newQueue(name: string): Queue {
    return new Queue(this.qualified(name), { connection: this.lendPool() }, createPostgresBackend as never);
  }

  newWorker(name: string, processor: Processor, options: Omit<WorkerOptions, 'connection'>): OpenWorker {
    const all = { ...options, connection: this.lendPool() };
    const worker = new Worker(this.qualified(name), processor, all, createPostgresBackend as never);
    const abandon = async (): Promise<void> => {
      await within(worker.getBackend().close(true), CLOSE_TIMEOUT_MS, 'closing').catch(() => undefined);
    };
    return { worker, abandon };
  }

  async close(): Promise<void> {
    await within(this.pool.end(), CLOSE_TIMEOUT_MS, 'closing').catch(() => undefined);
  }

  /** The pool, without its events: each queue and worker that BullMQ makes would add a listener and never remove it. */
  private lendPool(): never {
    const { pool } = this;
    const lent = {
      options: pool.options,
      connect: () => pool.connect(),
      query: (...query: Parameters<typeof pool.query>) => pool.query(...query),
      end: async () => undefined,
      on: () => lent,
      removeListener: () => lent,
    };
    return lent as never;
  }

  private qualified(name: string): string {
    return `${this.options.prefix}.${name}`;
  }
}
