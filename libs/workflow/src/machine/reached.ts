import type { Definition } from '../model/definition.js';
import type { Run } from '../model/run.js';
import { isOver } from './is-over.js';
import { reachableFrom } from './reachability.js';

/**
 * Where a run is, for somebody who waits for it.
 * - `state`: it is in one of the states, or was. `end`: it has ended.
 * - `attention`: a person has to look at it, or has to redrive it.
 * - `missed`: it goes on, and none of the states is ahead of it any more.
 */
export type Reached = 'state' | 'end' | 'attention' | 'missed';

/**
 * Where a run is, as seen by one who waits for these states, or for its end if there are none; undefined while there is something to wait for.
 * @param definition that of the run's version, if this process has it
 */
export function reached(
  definition: Definition | undefined,
  run: Run,
  states: readonly string[],
): Reached | undefined {
  if (run.state !== null && states.includes(run.state)) return 'state';
  if (isOver(run)) return 'end';
  if (run.attention !== null || ['failed', 'compensation_failed'].includes(run.status)) return 'attention';
  if (states.length === 0 || !definition || run.state === null) return undefined;
  const ahead = reachableFrom(definition, run.state);
  return states.some((state) => ahead.has(state)) ? undefined : 'missed';
}
