import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Job } from 'bullmq';
import type { BullDriver, OpenWorker } from './bull-driver.js';
import { BullQueue } from './bull-queue.js';
import { within } from './within.js';

/** A job as it is handed out. After an eviction in Redis its name is missing and its data empty. */
export interface ReceivedJob {
  readonly id: string;
  readonly name: string;
  /** Whatever somebody put there. */
  readonly data: unknown;
  /** It was handed out before, and whoever had it then did not finish it. */
  readonly repeated: boolean;
}

/** Handles one job; to throw removes it like a success, so it had better not. */
export type JobProcessor = (job: ReceivedJob) => Promise<void>;

export interface BullWorkerOptions {
  /** Jobs at a time. Default 8. */
  readonly concurrency?: number;
  /** How often to check that jobs which wait are also fetched. Milliseconds, default 15,000. */
  readonly watchdogMs?: number;
}

interface Place {
  readonly driver: BullDriver;
  readonly name: string;
  readonly closeTimeoutMs: number;
}

const RETRY_FIRST_MS = 100;
const RETRY_LONGEST_MS = 3_000;

/**
 * The end of a queue where jobs come out. It is made when the server answers, and made anew when it stands still while jobs wait, which
 * is how a worker that has lost its connection for good shows. Errors are logged once per kind until a job has come again.
 */
export class BullWorker {
  private readonly logger = new Logger('BullWorker');
  private readonly stopping = new AbortController();
  private readonly concurrency: number;
  private readonly watchdogMs: number;
  private readonly supervision: Promise<void>;
  private readonly reported = new Set<string>();
  private fetched = 0;
  private active = 0;

  constructor(
    private readonly place: Place,
    private readonly processor: JobProcessor,
    { concurrency = 8, watchdogMs = 15_000 }: BullWorkerOptions,
  ) {
    this.concurrency = concurrency;
    this.watchdogMs = watchdogMs;
    this.supervision = this.supervise();
  }

  /** Fetches nothing more and waits a bounded time for the jobs under way. */
  async close(): Promise<void> {
    this.stopping.abort();
    await this.supervision;
  }

  private async supervise(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const open = await this.open();
      if (open === undefined) return;
      await this.watch();
      await this.end(open);
    }
  }

  private async open(): Promise<OpenWorker | undefined> {
    for (
      let waitMs = RETRY_FIRST_MS;
      !this.stopping.signal.aborted;
      waitMs = Math.min(2 * waitMs, RETRY_LONGEST_MS)
    ) {
      try {
        await this.place.driver.ping();
        return this.stopping.signal.aborted ? undefined : this.make();
      } catch (error) {
        this.report(error);
        await this.sleep(waitMs);
      }
    }
    return undefined;
  }

  private make(): OpenWorker {
    const open = this.place.driver.newWorker(this.place.name, (job) => this.process(job), {
      concurrency: this.concurrency,
      // Jobs are hints to us: that one was often handed out is no reason to drop it.
      maxStalledCount: 1_000_000,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      runRetryDelay: 1_000,
    });
    open.worker.on('error', (error) => this.report(error));
    return open;
  }

  private async process(job: Job<unknown>): Promise<void> {
    this.fetched++;
    this.active++;
    this.reported.clear();
    try {
      const { id = '', name, data, attemptsStarted } = job;
      await this.processor({ id, name, data, repeated: attemptsStarted > 1 });
    } catch (error) {
      this.report(error);
      throw error;
    } finally {
      this.active--;
    }
  }

  /** Returns when the worker has to be replaced or to end. */
  private async watch(): Promise<void> {
    const queue = new BullQueue(this.place.driver, this.place.name);
    while (!this.stopping.signal.aborted) {
      const before = this.fetched;
      const waitingBefore = await queue.waiting().catch(() => 0);
      await this.sleep(this.watchdogMs);
      if (this.fetched > before || this.active > 0 || waitingBefore === 0) continue;
      if ((await queue.waiting().catch(() => 0)) === 0 || this.stopping.signal.aborted) continue;
      this.logger.warn(`The worker of ${this.place.name} stands still while jobs wait; making a new one.`);
      break;
    }
    await queue.close();
  }

  /**
   * Pausing waits for the jobs under way and what they still have to tell the server, which may never end while that is away; the
   * forced close then stops timers and connections. BullMQ's own close does both, but hangs in the first.
   */
  private async end({ worker, abandon }: OpenWorker): Promise<void> {
    const { closeTimeoutMs } = this.place;
    await within(worker.pause(), closeTimeoutMs, 'pausing').catch((error: unknown) => this.report(error));
    await within(worker.close(true), closeTimeoutMs, 'closing').catch((error: unknown) => this.report(error));
    await abandon();
  }

  private report(error: unknown): void {
    const {
      code,
      message = String(error),
      name,
    } = error as { code?: string; message?: string; name?: string };
    const kind = code ?? name ?? message;
    if (this.reported.has(kind)) return;
    this.reported.add(kind);
    this.logger.warn(`Queue ${this.place.name}: ${message || kind}`);
  }

  private async sleep(ms: number): Promise<void> {
    // Woken by close.
    await pause(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
