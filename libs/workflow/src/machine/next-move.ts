import type { StepDefinition } from '../model/definition.js';
import type { StepRecord } from '../model/step-record.js';

/**
 * What is to be done with a step that is due:
 * - `attempt` it. `confirm`: ask first whether the attempt in doubt took effect.
 * - `lose`: it is made at most once and its attempt has no outcome. `give-up`: its attempts, or its time, are used up.
 */
export type NextMove = 'attempt' | 'confirm' | 'lose' | 'give-up';

/** The next move of a step, by its record. Pure; whether its time has come is {@link waitOf}. */
export function nextMove(step: StepDefinition, record: StepRecord | undefined): NextMove {
  if (record === undefined) return 'attempt';
  if (record.inDoubt && step.guarantee === 'at-most-once') return 'lose';
  if (record.inDoubt && step.confirmation) return 'confirm';
  if (record.attempts >= step.retry.attemptsMax) return 'give-up';
  if (record.expiresMs !== null && record.expiresMs <= record.waitMs) return 'give-up';
  return 'attempt';
}

/** How long until that move may be made. Milliseconds. */
export function waitOf(step: StepDefinition, record: StepRecord | undefined): number {
  if (record === undefined) return 0;
  const move = nextMove(step, record);
  if (move === 'give-up') return 0;
  // Only once it can not take effect any more is it known that nobody knows.
  return move === 'lose' ? record.doubtMs : record.waitMs;
}
