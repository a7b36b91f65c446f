import { PawlError } from '@pawl/core';

/** Thrown by a step for which no further attempt can help: a declined card, an unknown article. It is not tried again. */
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
