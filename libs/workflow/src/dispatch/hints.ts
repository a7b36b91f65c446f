import type { Transaction } from '@pawl/core';
import type { RunAddress } from '../store/lock-runs.js';

/** "Look at this run": a step is due. The dispatch number makes each hint a new one. */
export interface RunHint {
  readonly runId: string;
  readonly dispatch: number;
}

/** "Look at this event": it is stored undecided. Named by the event, for its run's dispatch number can not be raised (D26). */
export interface EventHint extends RunAddress {
  readonly eventId: string;
}

export type Hint = RunHint | EventHint;

/** What a process does with the hints it takes. Neither may throw. */
export interface HintHandler {
  /** Ends once all are claimed or turned out to be taken, not when their steps have run (D32). */
  runs(runIds: readonly string[]): Promise<void>;
  event(address: RunAddress): Promise<void>;
}

/** Carries hints between processes. All of them may vanish at any moment and nothing is lost but time. */
export interface HintChannel {
  /** Hands over what it can, within a bounded time. May throw: a hint is not worth a retry. */
  send(hints: readonly Hint[]): Promise<void>;
  /** Starts handing out hints, now or as soon as the queue can be reached. */
  consume(handler: HintHandler): void;
  /** Takes no further hints. */
  pause(): Promise<void>;
  close(): Promise<void>;
}

/** Sends hints after commit, in batches, and never lets a lost one be anybody's problem. */
export interface Hints {
  afterCommit(tx: Transaction, hint: Hint): void;
  send(hint: Hint): void;
}
