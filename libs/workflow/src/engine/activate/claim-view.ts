import { nextMove, waitOf } from '../../machine/steps/next-move.js';
import { dueSteps } from '../../machine/steps/steps.js';
import type { Definition, StepDefinition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { isSettled, type StepRecord, stepRecord } from '../../model/step-record.js';
import type { Claim } from '../../store/claims.js';
import type { FinishedStep } from '../../store/close-steps.js';
import type { StepsClosed } from '../attempt/step-outcome.js';

/** Most steps that share one transaction. */
const GROUP_MAX = 16;

export function recordOf(claim: Claim, { name }: Pick<StepDefinition, 'name'>): StepRecord | undefined {
  return claim.steps.find((record) => record.name === name);
}

export function attemptsSpent(claim: Claim, step: Pick<StepDefinition, 'name'>): number {
  return recordOf(claim, step)?.attempts ?? 0;
}

/** What the steps of this round have returned, by name. */
export function outputsOf(claim: Claim): Record<string, unknown> {
  const settled = claim.steps.filter((record) => record.kind === 'step' && isSettled(record));
  return Object.fromEntries(settled.map(({ name, output }) => [name, output]));
}

/** A step and, unless each is to stand alone, the transactional ones that become due behind it and can share its transaction. */
export function groupOf(
  definition: Definition,
  claim: Claim,
  first: StepDefinition,
  each: boolean,
): StepDefinition[] {
  const group = [first];
  const dueBefore = dueSteps(definition, claim.run, claim.steps);
  while (!each && group.length < GROUP_MAX && canBeFollowed(group.at(-1))) {
    const done = group.map(({ name }) => ({ name, status: 'done' as const }));
    const due = dueSteps(definition, claim.run, [...claim.steps, ...done]);
    const [next] = due.filter((step) => !dueBefore.includes(step));
    if (next === undefined || !canJoin(claim, next)) return group;
    group.push(next);
  }
  return group;
}

function canBeFollowed(step: StepDefinition | undefined): boolean {
  return step !== undefined && joins(step) && step.to === undefined;
}

function canJoin(claim: Claim, step: StepDefinition): boolean {
  const record = recordOf(claim, step);
  return joins(step) && waitOf(step, record) === 0 && nextMove(step, record) === 'attempt';
}

function joins({ effect, alone, forEach, delayMs }: StepDefinition): boolean {
  return effect === 'transactional' && !alone && forEach === undefined && delayMs === undefined;
}

/** Whether a worker has nothing to do for the run as it stands right after a step. */
export function isIdle({ status }: Run): boolean {
  return status !== 'running' && status !== 'compensating';
}

/** The claim after steps were closed, if nothing else has happened to the run meanwhile. */
export function withClosed(claim: Claim, { run, finished }: Pick<StepsClosed, 'run' | 'finished'>): Claim {
  const names = new Set(finished.map(({ name }) => name));
  const others = claim.steps.filter(({ name }) => !names.has(name));
  const closed = finished.map((step) => doneRecord(step, recordOf(claim, step)));
  return { ...claim, run, steps: [...others, ...closed] };
}

function doneRecord(
  { name, kind, undoes, generation, attempts, output, status = 'done' }: FinishedStep,
  before: StepRecord | undefined,
): StepRecord {
  return stepRecord({
    ...before,
    name,
    kind,
    undoes,
    generation,
    status,
    attempts,
    output,
    inDoubt: status === 'lost',
    waitMs: 0,
    doubtMs: 0,
  });
}
