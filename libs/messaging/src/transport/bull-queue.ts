import type { Queue } from 'bullmq';
import type { BullDriver } from './bull-driver.js';
import { TransportUnavailableError } from './transport-unavailable-error.js';
import { within } from './within.js';

/** A job that is to be added. */
export interface NewJob {
  readonly name: string;
  /** Never used before in this queue: BullMQ silently drops a job whose id it still has. No colon, not a whole number. */
  readonly id: string;
  readonly data: unknown;
  /** Milliseconds until a worker may have it. Only a hint: without a live worker nothing becomes due. */
  readonly delayMs?: number;
}

const ADD_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * The end of a queue where jobs go in. Made when the server answers, thrown away when it fails, made anew at the next use. A job leaves no
 * trace when it is done or has failed, and it is tried once: what has to happen again is added again.
 */
export class BullQueue {
  private opening: Promise<Queue> | undefined;
  private closed = false;

  constructor(
    private readonly driver: BullDriver,
    private readonly name: string,
  ) {}

  /**
   * Adds jobs within a bounded time. When it throws, some may have been added all the same.
   * @throws TransportUnavailableError
   */
  async add(jobs: readonly NewJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const ids = await this.use((queue) => addAll(queue, jobs.map(bulkJob)));
    // On Redis an entry that was refused comes back with an error number for an id, and nobody throws.
    const refused = jobs.filter(({ id }, n) => ids[n] !== id).length;
    if (refused > 0) throw new TransportUnavailableError(`${refused} of ${jobs.length} jobs were refused`);
  }

  /** How many jobs wait for a worker. */
  async waiting(): Promise<number> {
    return this.use((queue) => queue.getJobCountByTypes('waiting'));
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.discard();
  }

  private async use<T>(work: (queue: Queue) => Promise<T>): Promise<T> {
    if (this.closed) throw new TransportUnavailableError('it is closed');
    try {
      const queue = await (this.opening ??= this.make());
      return await within(work(queue), ADD_TIMEOUT_MS, 'the queue');
    } catch (error) {
      void this.discard();
      if (error instanceof TransportUnavailableError) throw error;
      throw new TransportUnavailableError((error as Error).message, error);
    }
  }

  private async make(): Promise<Queue> {
    await this.driver.ping();
    const queue = this.driver.newQueue(this.name);
    // The failed call tells it to its caller; an event without a listener would end the process.
    queue.on('error', () => undefined);
    return queue;
  }

  private async discard(): Promise<void> {
    const opening = this.opening;
    this.opening = undefined;
    const queue = await opening?.catch(() => undefined);
    // Its connection is shared and lives on; a queue that can not be closed is let go.
    if (queue) await within(queue.close(), CLOSE_TIMEOUT_MS, 'closing').catch(() => undefined);
  }
}

type BulkJob = Parameters<Queue['addBulk']>[0][number];

/** On PostgreSQL a bulk makes temporary tables, three times the price of one job added alone. */
async function addAll(queue: Queue, jobs: readonly BulkJob[]): Promise<(string | undefined)[]> {
  const [first] = jobs;
  const alone = first !== undefined && jobs.length === 1;
  const added = alone
    ? [await queue.add(first.name, first.data, first.opts)]
    : await queue.addBulk([...jobs]);
  return added.map(({ id }) => id);
}

function bulkJob({ name, id, data, delayMs }: NewJob): BulkJob {
  const delay = delayMs === undefined ? {} : { delay: delayMs };
  return {
    name,
    data,
    opts: { jobId: id, attempts: 1, removeOnComplete: true, removeOnFail: true, ...delay },
  };
}
