import { invariant } from '@pawl/core';
import type { Definition } from '../model/definition.js';
import type { Run, RunStatus } from '../model/run.js';

/** Whether nothing moves the run any more. */
export function hasEnded(run: Run): boolean {
  return run.status === 'completed' || run.status === 'failed';
}

/** The run in its next state; without one it stays where it is. A position only grows. */
export function enter(definition: Definition, run: Run, to: string | undefined): Run {
  if (to === undefined) return run;
  const rankOf = (state: string) => definition.states.indexOf(state);
  invariant(run.state === null || rankOf(to) > rankOf(run.state), 'A run never goes back', {
    run: run.id,
    from: run.state,
    to,
  });
  return { ...run, state: to, status: statusIn(definition, to) };
}

function statusIn(definition: Definition, state: string): RunStatus {
  if (definition.final.includes(state)) return 'completed';
  return definition.steps.some((step) => step.in === state) ? 'running' : 'waiting';
}
