import { invariant } from '@pawl/core';
import type { JournalEntry } from '../model/change.js';
import type { Definition, StepDefinition } from '../model/definition.js';
import type { Run } from '../model/run.js';
import { enter } from './position.js';

/** The step to be run next: the first of the run's state, in declaration order, that is not done. */
export function dueStep(
  definition: Definition,
  run: Run,
  doneStepNames: Iterable<string>,
): StepDefinition | undefined {
  if (run.status !== 'running') return undefined;
  const done = new Set(doneStepNames);
  return definition.steps.find((step) => step.in === run.state && !done.has(step.name));
}

/** What follows from a step that is done. */
export interface AfterStep {
  readonly run: Run;
  readonly moved: boolean;
  /** One entry if the run moved, else none: the step's own record says that it is done. */
  readonly journal: readonly JournalEntry[];
}

/**
 * The run after a step. A step with `to` moves it; after the last one without it the run waits. The caller has made sure
 * that the run is still in the step's state (D1), and decides the parked events afterwards.
 */
export function afterStep(
  definition: Definition,
  run: Run,
  stepName: string,
  doneStepNames: Iterable<string>,
): AfterStep {
  const step = definition.steps.find(({ name }) => name === stepName);
  invariant(step && step.in === run.state && run.status === 'running', 'A step ends in its own state', {
    run: run.id,
    step: stepName,
    state: run.state,
    status: run.status,
  });
  if (step.to !== undefined) return moveOn(definition, run, step);
  const next = dueStep(definition, run, [...doneStepNames, stepName]);
  return { run: next ? run : { ...run, status: 'waiting' }, moved: false, journal: [] };
}

function moveOn(definition: Definition, run: Run, step: StepDefinition): AfterStep {
  const next = { ...enter(definition, run, step.to), revision: run.revision + 1 };
  const entry: JournalEntry = {
    revision: next.revision,
    kind: 'step',
    name: step.name,
    subject: '',
    verdict: null,
    rule: null,
    detail: null,
    fromState: run.state,
    toState: next.state,
    digest: null,
    payload: null,
    eventId: null,
    source: null,
  };
  return { run: next, moved: true, journal: [entry] };
}
