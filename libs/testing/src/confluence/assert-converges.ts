import { PawlError } from '@pawl/core';
import { type Explorable, explore, type ExploreOptions, type WorkflowExploration } from './explore.js';

/**
 * Explores a workflow and fails, with the counterexample as its message, if two orders of the events end differently or an invariant is broken; for
 * tests, whatever runs them. Answers what was explored.
 *
 * @throws PawlError `workflow_diverges` or `invariant_broken`, and those of {@link explore}
 */
export function assertConverges(
  workflow: Explorable,
  events: readonly object[],
  options: ExploreOptions = {},
): WorkflowExploration {
  const exploration = explore(workflow, events, options);
  const { outcome, counterexample, report } = exploration;
  if (counterexample === undefined) return exploration;
  throw new PawlError(outcome === 'violated' ? 'invariant_broken' : 'workflow_diverges', report, {
    ...counterexample,
  });
}
