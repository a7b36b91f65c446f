import { crashPoint, type Slots, type Transactions } from '@pawl/core';
import type { Hints } from '../../dispatch/hints.js';
import { type Claim, claimOverdue, type ClaimOptions } from '../../store/claims.js';
import { Activation, type ActivationEnd, type ActivationParts } from './activation.js';
import type { ClaimLane } from './claim-lane.js';
import type { Definitions } from '../definitions.js';
import { type LeaseKeeper, StoppingError } from './lease-keeper.js';

export interface WorkerParts {
  readonly transactions: Transactions;
  readonly definitions: Definitions;
  readonly lane: ClaimLane;
  readonly slots: Slots;
  readonly leases: LeaseKeeper;
  readonly hints: Hints;
  readonly activation: Omit<ActivationParts, 'isStopping'>;
  readonly claim: ClaimOptions;
  /** How long a stop waits for steps under way. Milliseconds. */
  readonly drainMs: number;
  readonly onError: (what: string, error: unknown) => void;
}

/** Longest wait for a retry that this process wakes up for by itself; a longer one is the rescuer's. */
const NAP_MAX_MS = 60_000;
/** When to look again at a run that was being written when it was to be claimed; doubles each time. */
const LOCKED_PAUSE_MS = 10;
/** Looks at a run that is locked, in all: together longer than a row lock may last. */
const LOCKED_LOOKS_MAX = 10;

/** Takes runs into free slots and activates them. */
export class Worker {
  private stopping = false;
  private readonly claiming = new Set<Promise<unknown>>();
  private readonly active = new Set<Promise<unknown>>();
  private readonly naps = new Set<NodeJS.Timeout>();

  constructor(private readonly parts: WorkerParts) {}

  /** Whether nothing new is begun any more. */
  get isStopping(): boolean {
    return this.stopping;
  }

  /** Whether nothing is claimed here, nor about to be. */
  get idle(): boolean {
    return this.claiming.size + this.active.size === 0;
  }

  /** Claims these runs, each into a free slot, and ends once all are claimed or turned out to be taken (D32). */
  async take(runIds: readonly string[]): Promise<void> {
    await tracked(this.claiming, this.claimEach(runIds, 1));
  }

  private async claimEach(runIds: readonly string[], look: number): Promise<void> {
    const locked: string[] = [];
    for (const runId of runIds) {
      const giveBack = await this.parts.slots.acquire();
      if (this.stopping) return giveBack();
      const askedAtMs = performance.now();
      const claim = await this.parts.lane.claim(runId).catch((error: unknown) => {
        this.parts.onError('claiming a run', error);
        return undefined;
      });
      if (claim === 'locked') locked.push(runId);
      if (claim === undefined || claim === 'locked') giveBack();
      else this.begin(claim, askedAtMs, giveBack);
    }
    if (locked.length === 0 || look === LOCKED_LOOKS_MAX) return;
    const nap = LOCKED_PAUSE_MS * 2 ** (look - 1);
    this.napFor(nap, async () => tracked(this.claiming, this.claimEach(locked, look + 1)));
  }

  /** Claims what has been due for longer than `overdueMs` into the slots that are free now, or the next one; answers how many. */
  async takeOverdue(overdueMs: number, limit: number): Promise<number> {
    return tracked(this.claiming, this.claimOverdue(overdueMs, limit));
  }

  private async claimOverdue(overdueMs: number, limit: number): Promise<number> {
    const { slots, transactions, claim } = this.parts;
    const free = slots.tryAcquire(limit);
    // Under load it waits its turn with the hints, else they would leave it nothing for ever.
    const places = free.length > 0 ? free : [await slots.acquire()];
    if (this.stopping) {
      for (const giveBack of places) giveBack();
      return 0;
    }
    const askedAtMs = performance.now();
    let claims: readonly Claim[] = [];
    try {
      claims = await transactions.run((tx) =>
        claimOverdue(tx, { ...claim, overdueMs, limit: places.length }),
      );
    } finally {
      for (const giveBack of places.slice(claims.length)) giveBack();
    }
    claims.forEach((one, n) => this.begin(one, askedAtMs, places[n] ?? (() => undefined)));
    return claims.length;
  }

  /** Resolves when nothing is claimed here any more: what is under way has ended, or was handed back. */
  async settled(): Promise<true> {
    while (!this.idle) {
      await Promise.allSettled([...this.claiming, ...this.active]);
    }
    return true;
  }

  /** Takes nothing new, hands back what is between two steps, and waits a bounded time for the rest. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const nap of this.naps) clearTimeout(nap);
    this.parts.leases.abortAll(new StoppingError('The process is shutting down.'));
    const inTime = await Promise.race([this.settled(), timeout(this.parts.drainMs)]);
    if (!inTime)
      this.parts.onError(
        'stopping',
        new Error(`${this.active.size} runs were still active; their leases will run out.`),
      );
  }

  private begin(claim: Claim, askedAtMs: number, giveBack: () => void): void {
    const done = this.activate(claim, askedAtMs)
      .catch((error: unknown) => this.parts.onError(`activating run ${claim.run.id}`, error))
      .finally(giveBack);
    void tracked(this.active, done);
  }

  private async activate(claim: Claim, askedAtMs: number): Promise<void> {
    crashPoint('claim.after');
    const { definitions, leases, activation } = this.parts;
    const definition = definitions.of(claim.run);
    if (definition === undefined) return;
    const held = leases.hold(claim, askedAtMs);
    try {
      const parts = { ...activation, isStopping: () => this.stopping };
      this.afterwards(claim.run.id, await new Activation({ definition, claim, held }, parts).run());
    } finally {
      leases.drop(held);
    }
  }

  /** A run that is due again soon is looked at again by this process; a lost wake-up is the rescuer's. */
  private afterwards(runId: string, end: ActivationEnd): void {
    if (end.kind !== 'released' || end.dueInMs === null) return;
    if (this.stopping || end.dueInMs === 0) return this.parts.hints.send({ runId, dispatch: end.dispatch });
    if (end.dueInMs <= NAP_MAX_MS) this.napFor(end.dueInMs, async () => this.take([runId]));
  }

  private napFor(ms: number, then: () => Promise<void>): void {
    if (this.stopping) return;
    // Never early: what is not due yet is not claimed, and nobody naps for it again.
    const nap = setTimeout(
      () => {
        this.naps.delete(nap);
        void then();
      },
      Math.ceil(ms) + 1,
    ).unref();
    this.naps.add(nap);
  }
}

/** Keeps a promise in a set until it is settled. */
async function tracked<T>(under: Set<Promise<unknown>>, work: Promise<T>): Promise<T> {
  under.add(work);
  try {
    return await work;
  } finally {
    under.delete(work);
  }
}

async function timeout(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms).unref());
}
