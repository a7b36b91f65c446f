import type { Route } from '@pawl/messaging';
import type { EntityManager } from 'typeorm';

/** What a step is given. */
export interface StepContext<Data> {
  readonly runId: string;
  /** The run's business key. */
  readonly key: string;
  /** The folded data as of the claim; frozen: steps act, handlers fold. */
  readonly data: Readonly<Data>;
  /** What earlier steps of this run returned, by name. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** The same for every attempt, process and deploy: give it to the provider. */
  readonly idempotencyKey: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Aborted when the attempt times out, the lease is lost, or the process shuts down. */
  readonly signal: AbortSignal;
  /**
   * For a transactional step: writes through it commit together with the step's record, or not at all. It ends with the step.
   * An external step has none; using it throws.
   */
  readonly tx: EntityManager;
  /** Keeps a message that goes to the outbox when the step commits. */
  readonly send: (route: Route, event: object) => void;
}
