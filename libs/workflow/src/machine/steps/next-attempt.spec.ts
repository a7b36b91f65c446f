import type { RetryPolicy } from '../../model/retry-policy.js';
import { nextAttempt } from './next-attempt.js';
import { PermanentError } from './permanent-error.js';

const exponential: RetryPolicy = { attemptsMax: 8, backoff: 'exponential', delayMs: 200, delayMaxMs: 30_000 };
const longest = () => 0;
const shortest = () => 0.999_999;
const error = new Error('connection reset');

it('doubles the delay up to the cap', () => {
  const policy = { ...exponential, attemptsMax: 12 };
  const delays = [1, 2, 3, 8, 9].map((attempt) => nextAttempt(policy, attempt, error, longest));
  expect(delays).toEqual([200, 400, 800, 25_600, 30_000]);
});

it('takes up to half of it away by chance', () => {
  expect(nextAttempt(exponential, 1, error, shortest)).toBe(100);
  expect(nextAttempt(exponential, 1, error, () => 0.5)).toBe(150);
});

it('keeps a fixed delay', () => {
  const policy: RetryPolicy = { ...exponential, backoff: 'fixed' };
  expect([1, 5].map((attempt) => nextAttempt(policy, attempt, error, shortest))).toEqual([200, 200]);
});

it('gives up after the last attempt', () => {
  expect(nextAttempt(exponential, 7, error, longest)).toBe(12_800);
  expect(nextAttempt(exponential, 8, error, longest)).toBe('give-up');
});

it('gives up at once on a permanent error, from any copy of the package', () => {
  expect(nextAttempt(exponential, 1, new PermanentError('card declined'), longest)).toBe('give-up');
  expect(nextAttempt(exponential, 1, { code: 'permanent_error' }, longest)).toBe('give-up');
});

it('asks the predicate, and does not take its failure for a no', () => {
  expect(nextAttempt({ ...exponential, retryIf: () => false }, 1, error, longest)).toBe('give-up');
  const broken = () => {
    throw error;
  };
  expect(nextAttempt({ ...exponential, retryIf: broken }, 1, error, longest)).toBe(200);
});
