import type { Duration } from '@pawl/core';
import type { RetryPolicy } from '../../model/retry-policy.js';
import type { RetryOptions } from '../options.js';
import { positive, type Report } from './reading.js';

/** The policy that options declare; what is wrong is reported. */
export function retryPolicy(options: RetryOptions, member: string, report: Report): RetryPolicy {
  const { attempts = 8, backoff = 'exponential', delay = '200ms', delayMax, retryIf } = options;
  if (!Number.isInteger(attempts) || attempts < 1) {
    report(member, `retry.attempts is ${attempts}; it counts all attempts, so it is a whole number from 1`);
  }
  const delayMs = positive(delay, 'retry.delay', member, report);
  const delayMaxMs =
    delayMax === undefined
      ? Math.max(DELAY_MAX_MS, delayMs)
      : positive(delayMax, 'retry.delayMax', member, report);
  if (delayMaxMs < delayMs)
    report(member, 'retry.delayMax is shorter than retry.delay; raise the one or lower the other');
  return { attemptsMax: attempts, backoff, delayMs, delayMaxMs, ...(retryIf && { retryIf }) };
}

/** How long one attempt may take. */
export function attemptTimeout(timeout: Duration, member: string, report: Report): number {
  const timeoutMs = positive(timeout, 'timeout', member, report);
  if (timeoutMs > TIMER_MAX_MS)
    report(member, `timeout of ${timeout} is longer than ${TIMER_MAX_MS} ms; use a @Timeout of the state`);
  return timeoutMs;
}

const DELAY_MAX_MS = 30_000;
/** Node's timers can not wait longer. */
const TIMER_MAX_MS = 2 ** 31 - 1;
