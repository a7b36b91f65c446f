import { invariant } from '@pawl/core';
import type { Definition } from '../model/definition.js';
import type { Run, RunStatus, Undo } from '../model/run.js';

/**
 * Whether no event and no timer moves the run any more. A run that has failed may go on yet, if a person redrives it; one that was paused while it
 * was undone may not.
 */
export function hasEnded({ status, undo }: Pick<Run, 'status' | 'undo'>): boolean {
  return ENDED.has(status) || (status === 'paused' && undo !== null);
}

/** Whether time stands still for the run: its timers fire once it goes on. */
export function isHeldUp({ status }: Pick<Run, 'status'>): boolean {
  return status === 'paused' || status === 'failed';
}

const ENDED: ReadonlySet<RunStatus> = new Set([
  'compensating',
  'completed',
  'compensated',
  'cancelled',
  'terminated',
  'compensation_failed',
]);

/**
 * The run in its next state; without one it stays where it is. A position only grows.
 * @param undo what the run's steps have done is undone, if any of the workflow's can be
 */
export function enter(definition: Definition, run: Run, to: string | undefined, undo = false): Run {
  if (to === undefined) return run;
  const rankOf = (state: string) => definition.states.indexOf(state);
  invariant(run.state === null || rankOf(to) > rankOf(run.state), 'A run never goes back', {
    run: run.id,
    from: run.state,
    to,
  });
  const entered = { ...run, state: to };
  if (undo && definition.steps.some(({ compensation }) => compensation))
    return {
      ...beginUndo(entered, 'compensated'),
      status: run.status === 'paused' ? 'paused' : 'compensating',
    };
  if (definition.final.includes(to)) return { ...entered, status: 'completed' };
  return { ...entered, status: run.status === 'paused' ? 'paused' : statusIn(definition, to) };
}

/** The run as it begins to undo all that its steps have done. */
export function beginUndo(run: Run, to: Undo['to']): Run {
  return { ...run, status: 'compensating', undo: { scope: 'all', to } };
}

/** Whether steps are due in a state that is not final, as far as the state says. */
function statusIn(definition: Definition, state: string): RunStatus {
  return definition.steps.some((step) => step.in === state) ? 'running' : 'waiting';
}
