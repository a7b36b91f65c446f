import { setTimeout as delay } from 'node:timers/promises';
import type { Duty } from './duty.js';

/** Told of a pass that threw; the loop goes on after its interval. */
export type DutyErrorListener = (duty: Duty, error: unknown) => void;

/**
 * Runs one duty again and again until it is stopped: at once while there is work, else after the duty's interval, or earlier when
 * it is woken. A pass that throws is reported and tried again after 200 ms, 400 ms and so on, at most the interval or `BACKOFF_MAX_MS`.
 */
export class DutyLoop {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private nap: AbortController | undefined;
  private awake = false;
  private failures = 0;

  constructor(
    private readonly duty: Duty,
    private readonly onError: DutyErrorListener,
  ) {}

  start(): void {
    this.running ??= this.loop();
  }

  /** There is work: look now, not after the interval. */
  wake(): void {
    this.awake = true;
    this.nap?.abort();
  }

  /** Ends after the pass that is under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.nap?.abort();
    await this.running;
  }

  private async loop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.awake = false;
      const done = await this.passOnce();
      if (done > 0 || this.stopping.signal.aborted) continue;
      await this.sleep();
    }
  }

  private async passOnce(): Promise<number> {
    try {
      const done = await this.duty.pass(this.stopping.signal);
      this.failures = 0;
      return done;
    } catch (error) {
      this.failures++;
      this.onError(this.duty, error);
      return 0;
    }
  }

  private async sleep(): Promise<void> {
    if (this.awake && this.failures === 0) return;
    const nap = new AbortController();
    this.nap = nap;
    const afterFailureMs = Math.min(BACKOFF_MAX_MS, 100 * 2 ** Math.min(this.failures, 16));
    const ms = this.failures > 0 ? Math.min(this.duty.everyMs, afterFailureMs) : this.duty.everyMs;
    // An aborted nap is how it is woken.
    await delay(ms, undefined, { signal: nap.signal }).catch(() => undefined);
    this.nap = undefined;
  }
}

const BACKOFF_MAX_MS = 10_000;
