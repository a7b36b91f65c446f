import type { RetryPolicy } from '../../model/retry-policy.js';
import { isPermanent } from './permanent-error.js';
import { StepDeadlineError } from './step-deadline-error.js';

/**
 * How long to wait after a failed attempt, in milliseconds, or that there is no further one. Exponential delays double
 * from `delayMs` up to `delayMaxMs` and lose up to half of it by chance, so that what failed together does not come back together.
 *
 * @param attempt number of the attempt that failed, from 1
 * @param random a number from 0 up to, but not including, 1
 */
export function nextAttempt(
  policy: RetryPolicy,
  attempt: number,
  error: unknown,
  random: () => number,
): number | 'give-up' {
  if (attempt >= policy.attemptsMax || isPermanent(error) || error instanceof StepDeadlineError)
    return 'give-up';
  if (!isRetryable(policy, error)) return 'give-up';
  if (policy.backoff === 'fixed') return Math.min(policy.delayMs, policy.delayMaxMs);
  const delayMs = Math.min(policy.delayMs * 2 ** (attempt - 1), policy.delayMaxMs);
  return Math.round(delayMs * (1 - random() / 2));
}

/** A predicate that throws has not said no; the attempts are limited anyway. */
function isRetryable({ retryIf }: RetryPolicy, error: unknown): boolean {
  if (!retryIf) return true;
  try {
    return retryIf(error);
  } catch {
    return true;
  }
}
