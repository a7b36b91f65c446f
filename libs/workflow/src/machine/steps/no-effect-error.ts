import { PawlError } from '@pawl/core';
import { isPermanent } from './permanent-error.js';

/**
 * Thrown by a step of which it is certain that this attempt had no effect: a refused connection, a 429. It is tried again by its policy,
 * and nothing is in doubt. Any other error leaves the attempt in doubt, a {@link PermanentError} excepted.
 */
export class NoEffectError extends PawlError {
  constructor(message: string, details?: Record<string, unknown>, cause?: unknown) {
    super(NO_EFFECT, message, details, cause);
  }
}

/**
 * Whether an error says that its attempt had no effect; with `details.inDoubt` it says that there is no use in trying again, and no more. Recognised by
 * its code: an application may have loaded two copies of this package.
 */
export function isDeclaredRefusal(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  const { code, details } = error as { code: unknown; details?: { inDoubt?: unknown } };
  return (code === NO_EFFECT || isPermanent(error)) && details?.inDoubt !== true;
}

const NO_EFFECT = 'no_effect';
