import type { StepDefinition } from '../../model/definition.js';
import type { StepRecord } from '../../model/step-record.js';
import type { Undoing } from './undo.js';

/**
 * What is to be done with a step that is due:
 * - `delay` it: it is begun later, and that is recorded. `attempt` it. `confirm`: ask first whether the attempt in doubt took effect.
 * - `lose`: it is made at most once and its attempt has no outcome. `give-up`: its attempts, or its time, are used up.
 */
export type NextMove = 'delay' | 'attempt' | 'confirm' | 'lose' | 'give-up';

/** The next move of a step, by its record. Pure; whether its time has come is {@link waitOf}. */
export function nextMove(step: StepDefinition, record: StepRecord | undefined): NextMove {
  if (record === undefined) return step.delayMs === undefined ? 'attempt' : 'delay';
  if (record.inDoubt && step.guarantee === 'at-most-once') return 'lose';
  if (record.inDoubt && step.confirmation) return 'confirm';
  if (record.attempts >= step.retry.attemptsMax) return 'give-up';
  // The next attempt would begin too late: nobody need wait for it.
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

/** How long until an effect may be undone, or asked about: once no attempt of it can have any effect any more. Milliseconds. */
export function waitOfUndo({ record, undo }: Pick<Undoing, 'record' | 'undo'>): number {
  if (undo) return undo.waitMs;
  // An answer that failed is asked for again at its time; the next attempt, which that was to be else, is not made any more.
  return Math.max(record.doubtMs, record.inDoubt && record.confirmAttempts > 0 ? record.waitMs : 0);
}

/** A record as it stands so many milliseconds after it was read. */
export function laterBy<Facts extends StepRecord | undefined>(record: Facts, ms: number): Facts {
  if (record === undefined) return record;
  const left = (wait: number): number => Math.max(0, wait - ms);
  const { waitMs, doubtMs, expiresMs } = record;
  return {
    ...record,
    waitMs: left(waitMs),
    doubtMs: left(doubtMs),
    expiresMs: expiresMs === null ? null : left(expiresMs),
  };
}

/** The step with what is left of the time for all of its attempts: no attempt outlasts that. */
export function withTimeLeft(step: StepDefinition, record: StepRecord | undefined): StepDefinition {
  const expiresMs = record?.expiresMs ?? null;
  return expiresMs === null ? step : { ...step, deadlineMs: expiresMs };
}

/** How long one attempt may take, where not more than that is left for all of them. Milliseconds. */
export function attemptMaxMs({
  timeoutMs,
  deadlineMs = timeoutMs,
}: Pick<StepDefinition, 'timeoutMs' | 'deadlineMs'>): number {
  return Math.min(timeoutMs, deadlineMs);
}
