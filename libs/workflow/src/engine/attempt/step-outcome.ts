import type { Run } from '../../model/run.js';
import type { FinishedStep } from '../../store/close-steps.js';

/** Steps whose records are committed. */
export interface StepsClosed {
  /** The run as of the closing statement. */
  readonly run: Run;
  readonly finished: readonly FinishedStep[];
  /** Events that were parked with the run and have been decided again before COMMIT. */
  readonly parkedCount: number;
  /** The run was given back in the same statement. */
  readonly released: boolean;
}

/**
 * The closing statement hit no row: the lease is lost, an event has moved the run, or the step is recorded already.
 * Thrown inside the transaction, so that the effects of the step are rolled back with it.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
