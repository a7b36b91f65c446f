import { setTimeout as pause } from 'node:timers/promises';
import { PawlError } from '@pawl/core';

export interface UntilOptions {
  /** How long to wait before giving up. Default 10,000 ms. */
  readonly timeoutMs?: number;
  /** Named in the error: what did not come about. */
  readonly what?: string;
  /** Between two looks. Default 20 ms. */
  readonly everyMs?: number;
}

/**
 * Waits for a condition by looking again and again, and answers its first truthy value: how specs wait, instead of
 * sleeping. A condition that throws counts as not yet fulfilled; its last error becomes the cause.
 *
 * @throws PawlError `until_timeout` when the time is up.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, what = 'the condition', everyMs = 20 }: UntilOptions = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw timedOut(what, timeoutMs, cause);
    await pause(everyMs);
  }
}

function timedOut(what: string, timeoutMs: number, cause: unknown): PawlError {
  return new PawlError(
    'until_timeout',
    `Waited ${timeoutMs} ms in vain: ${what}`,
    { timeoutMs, what },
    cause,
  );
}
