import { PawlError } from '@pawl/core';
import type { UpdateRule } from '../model/update.js';

/**
 * An update was not made, and has changed nothing (HTTP: 409, and 422 for `invalid-input`). Thrown by an `@Update` method to say no: then `rule`
 * is `declined`, and whoever asked gets the reason and the details. `details.rule` says which rule refused, `details.reason` why.
 */
export class UpdateRefusedError extends PawlError {
  constructor(
    reason: string,
    details: Readonly<Record<string, unknown>> & { readonly rule?: UpdateRule } = {},
  ) {
    super(UPDATE_REFUSED, reason, { rule: 'declined', reason, ...details });
  }

  get rule(): UpdateRule {
    return this.details['rule'] as UpdateRule;
  }
}

/** Recognised by its code: an application may have loaded two copies of this package. */
export function isUpdateRefusal(error: unknown): error is UpdateRefusedError {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === UPDATE_REFUSED;
}

const UPDATE_REFUSED = 'update_refused';
