import { invariant } from '@pawl/core';
import type { JournalEntry } from '../../model/change.js';
import type { Definition, StepDefinition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { isSettled, type StepRecord, stepRecord } from '../../model/step-record.js';
import { enter } from '../position.js';
import { hasLeftOpen, toUndo } from './undo.js';

/** What a decision has to know of a step's record. */
export type StepFacts = Pick<StepRecord, 'name' | 'status'>;

/**
 * The steps of the run's state that are neither settled nor waiting for a person, and whose predecessors are settled: they may be at work
 * side by side. In the order of their declaration.
 */
export function dueSteps({ steps }: Definition, run: Run, records: readonly StepFacts[]): StepDefinition[] {
  if (run.status !== 'running') return [];
  const settled = new Set(records.filter(isSettled).map(({ name }) => name));
  const held = new Set(records.filter(({ status }) => isHeld(status)).map(({ name }) => name));
  return steps.filter(
    (step) =>
      step.in === run.state &&
      !settled.has(step.name) &&
      !held.has(step.name) &&
      step.after.every((name) => settled.has(name)),
  );
}

/** Nothing but a person takes it further. */
function isHeld(status: StepRecord['status']): boolean {
  return status === 'in_doubt' || status === 'failed';
}

/** What follows from a step that is done. */
export interface AfterStep {
  readonly run: Run;
  readonly moved: boolean;
  /** One entry if the run moved, else none: the step's own record says that it is done. */
  readonly journal: readonly JournalEntry[];
}

/**
 * The run after a step. A step with `to` moves it; when nothing is due any more the run waits. The caller has made sure that the run is
 * still in the step's state (D1), and decides the parked events afterwards.
 * @param records those of the round, that of this step included or not
 */
export function afterStep(
  definition: Definition,
  run: Run,
  stepName: string,
  records: readonly StepRecord[],
): AfterStep {
  const step = definition.steps.find(({ name }) => name === stepName);
  invariant(step && step.in === run.state && run.status === 'running', 'A step ends in its own state', {
    run: run.id,
    step: stepName,
    state: run.state,
    status: run.status,
  });
  const noReturn = run.noReturn || step.noReturn;
  if (step.to !== undefined) return moveOn(definition, { ...run, noReturn }, step, records);
  const after = { ...run, noReturn };
  return {
    run: restingOrRunning(definition, after, [...records, stepRecord({ name: stepName, status: 'done' })]),
    moved: false,
    journal: [],
  };
}

/** The run as it stands between two pieces of work: `running` while something is due, else `waiting`. */
export function restingOrRunning(definition: Definition, run: Run, records: readonly StepRecord[]): Run {
  if (run.status !== 'running') return run;
  const due = dueSteps(definition, run, records).length > 0 || toUndo(definition, run, records).length > 0;
  return due ? run : { ...run, status: 'waiting' };
}

function moveOn(
  definition: Definition,
  run: Run,
  step: StepDefinition,
  records: readonly StepRecord[],
): AfterStep {
  const entered = { ...enter(definition, run, step.to), revision: run.revision + 1 };
  const next = withAbandoned(definition, entered, records);
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

/**
 * The run in a state that it has just entered. What it left open in an earlier one is undone while it goes on; before that is undone it has not
 * ended, whatever its state.
 */
export function withAbandoned(definition: Definition, run: Run, records: readonly StepRecord[]): Run {
  if (run.status === 'completed')
    return hasLeftOpen(definition, records)
      ? { ...run, status: 'compensating', undo: { scope: 'abandoned', to: 'completed' } }
      : run;
  const undoes =
    run.status === 'waiting' && toUndo(definition, { ...run, status: 'running' }, records).length > 0;
  return undoes ? { ...run, status: 'running' } : run;
}
