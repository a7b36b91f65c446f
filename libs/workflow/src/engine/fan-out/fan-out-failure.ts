import { PermanentError } from '../../machine/steps/permanent-error.js';

/** What a step over items, or the undoing of one, fails of: no attempt at the whole of it is made again. */
export function itemsFailed(index: number, message: string | null, others = 0): PermanentError {
  const more = others > 0 ? ` (and ${others} more)` : '';
  return new PermanentError(`item ${index}${more}: ${message ?? 'no reason is known'}`, {
    item: index,
    others,
  });
}
