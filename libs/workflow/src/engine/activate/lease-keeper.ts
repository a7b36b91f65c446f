import { type DutyErrorListener, type Duty, DutyLoop, type Transactions } from '@pawl/core';
import { type Claim, renew } from '../../store/claims.js';

/** A claim that this process keeps alive. */
export interface Held {
  readonly runId: string;
  /** Raised when the run is taken over after a COMMIT in doubt. */
  fencingToken: number;
  /** Aborted when the lease is lost or has run out, or the process shuts down. */
  readonly signal: AbortSignal;
}

/** Why the signal of a run is aborted while its lease goes on: there is no time to begin anything. */
export class StoppingError extends Error {
  override readonly name = 'StoppingError';
}

interface Keeping extends Held {
  readonly controller: AbortController;
  /** By this process's monotonic clock, from before the claim or renewal was sent: the lease can not end earlier. */
  confirmedAtMs: number;
}

/**
 * Renews the leases of what this process holds, all in one statement, three times per lease. A renewal that finds another token, or a lease that
 * could not be renewed in time, aborts the signal of the run: its worker stops, and its writes would hit no row anyway. That the time is up is seen
 * by a timer of its own, also while a renewal waits for a connection.
 */
export class LeaseKeeper implements Duty {
  readonly name = 'leases';
  readonly everyMs: number;
  private readonly keeping = new Map<string, Keeping>();
  private readonly loop: DutyLoop;
  private watch: NodeJS.Timeout | undefined;

  constructor(
    private readonly transactions: Transactions,
    private readonly leaseMs: number,
    onError: DutyErrorListener,
  ) {
    this.everyMs = Math.ceil(leaseMs / 3);
    this.loop = new DutyLoop(this, onError);
  }

  start(): void {
    this.watch ??= setInterval(() => this.abortOutdated(), Math.ceil(this.leaseMs / 10)).unref();
    this.loop.start();
  }

  async stop(): Promise<void> {
    clearInterval(this.watch);
    await this.loop.stop();
  }

  /** @param claimedAtMs `performance.now()` from before the claim was sent */
  hold({ run, fencingToken }: Claim, claimedAtMs: number): Held {
    const controller = new AbortController();
    const held = {
      runId: run.id,
      fencingToken,
      signal: controller.signal,
      controller,
      confirmedAtMs: claimedAtMs,
    };
    // This process had it before, and has lost it to itself.
    this.keeping
      .get(run.id)
      ?.controller.abort(new Error('The lease ran out, and this process has claimed the run again.'));
    this.keeping.set(run.id, held);
    return held;
  }

  drop(held: Held): void {
    if (this.keeping.get(held.runId) === held) this.keeping.delete(held.runId);
  }

  /** Tells all steps that the process is about to stop. */
  abortAll(reason: Error): void {
    for (const { controller } of this.keeping.values()) controller.abort(reason);
  }

  async pass(): Promise<number> {
    const asked = [...this.keeping.values()].map((keeping) => ({
      keeping,
      id: keeping.runId,
      fencingToken: keeping.fencingToken,
    }));
    if (asked.length === 0) return 0;
    const askedAtMs = performance.now();
    const answers = await this.transactions.run((tx) => renew(tx, asked, this.leaseMs));
    const renewed = new Map(answers.map((answer) => [answer.id, answer.renewed]));
    for (const { keeping, id, fencingToken } of asked) {
      // Taken over meanwhile by this very process: the answer is about the older token.
      if (keeping.fencingToken === fencingToken) note(keeping, renewed.get(id), askedAtMs);
    }
    return 0;
  }

  private abortOutdated(): void {
    for (const { confirmedAtMs, controller } of this.keeping.values()) {
      if (performance.now() - confirmedAtMs < this.leaseMs) continue;
      controller.abort(new Error('The lease could not be renewed in time.'));
    }
  }
}

function note(keeping: Keeping, renewed: boolean | undefined, askedAtMs: number): void {
  if (renewed === true) keeping.confirmedAtMs = askedAtMs;
  if (renewed === false)
    keeping.controller.abort(new Error('The lease is lost: another worker has the run.'));
}
