import { DatabaseUnavailableError, PawlError, sqlState } from '@pawl/core';
import { StepFailedError } from './step-call.js';

/** A transactional step let its transaction idle for most of the lease, so the server ended it and all is rolled back. */
export class StepIdledError extends PawlError {
  constructor(step: string, cause: unknown) {
    super(
      'step_idled',
      `Step ${step} asked nothing of its transaction for most of the lease, so the server ended it: an idle transaction keeps its locks. ` +
        'What waits for other systems belongs into an external step.',
      { step },
      cause,
    );
  }
}

/** The server has ended the transaction of a step that waited for something else: the step's own doing. */
export function hasIdled(error: unknown): error is DatabaseUnavailableError {
  return error instanceof DatabaseUnavailableError && sqlState(error.cause) === '25P03';
}

/** Whether the call has ended, and can do nothing any more. One whose time was up was only told so: it may not listen, or its request be under way. */
export function hasEndedCall(error: unknown): boolean {
  return !(error instanceof StepFailedError && error.cutOff);
}

/** What an attempt failed of, as it is kept with its record. */
export function reasonOf(error: unknown, step: string): unknown {
  if (hasIdled(error)) return new StepIdledError(step, error);
  return error instanceof StepFailedError ? error.cause : error;
}
