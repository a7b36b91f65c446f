import { PawlError } from '@pawl/core';

/**
 * Thrown by a step for which no further attempt can help, and of which it is certain that this attempt had no effect: a declined card, an unknown
 * article. It is not tried again, and nothing is in doubt. Where the attempt may have had an effect, give `{ inDoubt: true }` as details: it is not tried
 * again either, but is in doubt.
 */
export class PermanentError extends PawlError {
  constructor(message: string, details?: Record<string, unknown>, cause?: unknown) {
    super(PERMANENT, message, details, cause);
  }
}

/** Recognised by its code: an application may have loaded two copies of this package. */
export function isPermanent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === PERMANENT;
}

const PERMANENT = 'permanent_error';
