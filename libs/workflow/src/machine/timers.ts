import { type Definition, EVERY_STATE, type TimeoutDefinition } from '../model/definition.js';
import type { Run } from '../model/run.js';
import type { StartingTimer, TimerChanges } from '../model/timer.js';
import { hasEnded } from './position.js';
import { hasMoved, instantOf } from './timer-instant.js';

/** What follows for a run's timers, and which of them can not start because their `at` has failed. */
export interface TimersAfter extends TimerChanges {
  readonly failed: readonly { readonly member: string; readonly detail: string }[];
}

/**
 * The timers of a run after a change. Those of the state that was left stop and those of the one entered start; the deadlines of the run start with
 * its first state. An instant that follows from the data follows it: when the data says another one, the timer moves there, or starts again if it
 * has fired. Pure.
 * @param overtaken timers that were due, and did not fire because the data had moved them
 */
export function timersAfter(
  definition: Definition,
  before: Run,
  after: Run,
  overtaken: ReadonlySet<TimeoutDefinition> = new Set(),
): TimersAfter {
  const none = { keep: 'all', cancel: [], start: [], failed: [] } as const;
  if (definition.timeouts.length === 0) return none;
  const moved = before.state !== after.state || before.round !== after.round;
  const left = moved && before.state !== null;
  if (hasEnded(after)) return { ...none, keep: left ? 'none' : 'all' };
  const entered = (timeout: TimeoutDefinition): boolean =>
    timeout.in === EVERY_STATE ? before.state === null : moved;
  const set = definition.timeouts.filter(
    (timeout) =>
      (timeout.in === after.state || timeout.in === EVERY_STATE) &&
      (entered(timeout) || overtaken.has(timeout) || hasMoved(timeout, before.data, after.data)),
  );
  const timers = set.map((timeout) => timerOf(timeout, after.data));
  return {
    keep: left ? 'deadlines' : 'all',
    cancel: timers.filter(({ runs }) => !runs),
    start: timers.filter(({ runs }) => runs),
    failed: timers.flatMap(({ member, detail }) => (detail === undefined ? [] : [{ member, detail }])),
  };
}

interface Timer extends StartingTimer {
  readonly runs: boolean;
  readonly detail?: string;
}

function timerOf(timeout: TimeoutDefinition, data: unknown): Timer {
  const { member, in: state, afterMs } = timeout;
  if (timeout.at === undefined)
    return { member, state, runs: true, ...(afterMs !== undefined && { afterMs }) };
  const instant = instantOf(timeout, data);
  if (instant.kind === 'at') return { member, state, runs: true, atMs: instant.ms };
  return { member, state, runs: false, ...(instant.kind === 'failed' && { detail: instant.detail }) };
}
