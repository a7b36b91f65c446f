import { type Definition, EVERY_STATE, type TimeoutDefinition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import type { StartingTimer, TimerChanges } from '../../model/timer.js';
import { hasEnded } from '../position.js';
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
  const isNew = ({ in: state }: TimeoutDefinition): boolean =>
    state === EVERY_STATE ? before.state === null : moved;
  const changed = definition.timeouts
    .filter(({ in: state }) => state === after.state || state === EVERY_STATE)
    .filter((one) => isNew(one) || overtaken.has(one) || hasMoved(one, before.data, after.data))
    .map((timeout) => ({ ...timerOf(timeout, after.data), isNew: isNew(timeout) }));
  return {
    keep: left ? 'deadlines' : 'all',
    cancel: changed.flatMap(({ moment, name, isNew: fresh }) => (moment || fresh ? [] : [name])),
    start: changed.flatMap(({ moment, name }) => (moment ? [{ ...name, ...moment }] : [])),
    failed: changed.flatMap(({ detail, name: { member } }) =>
      detail === undefined ? [] : [{ member, detail }],
    ),
  };
}

interface Timer {
  readonly name: Pick<StartingTimer, 'member' | 'state'>;
  /** Undefined: it does not run. */
  readonly moment?: Pick<StartingTimer, 'afterMs' | 'atMs'>;
  /** Why not, if it should. */
  readonly detail?: string;
}

function timerOf(timeout: TimeoutDefinition, data: unknown): Timer {
  const { member, in: state, afterMs = 0 } = timeout;
  const name = { member, state };
  if (timeout.at === undefined) return { name, moment: { afterMs } };
  const instant = instantOf(timeout, data);
  if (instant.kind === 'at') return { name, moment: { atMs: instant.ms } };
  return instant.kind === 'failed' ? { name, detail: instant.detail } : { name };
}
