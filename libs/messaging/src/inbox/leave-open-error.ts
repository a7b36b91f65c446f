import { PawlError } from '@pawl/core';

/**
 * For a consumer to throw: nothing is written, no attempt is spent, and all messages it was given come again. If only one of several is
 * meant, throw something else: then each is tried alone.
 */
export class LeaveOpenError extends PawlError {
  constructor(why: string, cause?: unknown) {
    super('left_open', `A message stays open: ${why}`, {}, cause);
  }
}
