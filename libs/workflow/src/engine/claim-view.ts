import { dueStep } from '../machine/steps.js';
import type { Definition, StepDefinition } from '../model/definition.js';
import type { Run } from '../model/run.js';
import type { Claim } from '../store/claims.js';
import type { StepRecord } from '../store/step-record.js';
import type { StepsClosed } from './step-outcome.js';

/** Most steps that share one transaction. */
const GROUP_MAX = 16;

export function doneNames(claim: Claim): string[] {
  return claim.steps.filter(({ status }) => status === 'done').map(({ name }) => name);
}

export function recordOf(claim: Claim, { name }: StepDefinition): StepRecord | undefined {
  return claim.steps.find((record) => record.name === name);
}

export function attemptsSpent(claim: Claim, step: StepDefinition): number {
  return recordOf(claim, step)?.attempts ?? 0;
}

/** What the steps of this round have returned, by name. */
export function outputsOf(claim: Claim): Record<string, unknown> {
  const done = claim.steps.filter(({ status }) => status === 'done');
  return Object.fromEntries(done.map(({ name, output }) => [name, output]));
}

/** The step to be run next and, unless each is to stand alone, the transactional ones behind it that can share its transaction. */
export function dueGroup(definition: Definition, claim: Claim, alone: boolean): StepDefinition[] {
  const group: StepDefinition[] = [];
  const done = doneNames(claim);
  for (;;) {
    const step = dueStep(definition, claim.run, [...done, ...group.map(({ name }) => name)]);
    if (step === undefined) return group;
    const joins =
      step.effect === 'transactional' && !step.alone && (recordOf(claim, step)?.waitMs ?? 0) === 0;
    if (group.length > 0 && !joins) return group;
    group.push(step);
    if (!joins || alone || step.to !== undefined || group.length === GROUP_MAX) return group;
  }
}

/** Whether nothing is due for the run as it stands right after a step. */
export function isIdle(definition: Definition, run: Run): boolean {
  return run.status !== 'running' || !definition.steps.some((step) => step.in === run.state);
}

/** The claim after steps were closed, if nothing else has happened to the run meanwhile. */
export function withClosed(claim: Claim, { run, finished }: StepsClosed): Claim {
  const records = finished.map(({ name, attempts, output }) => ({
    name,
    status: 'done' as const,
    attempts,
    output,
    waitMs: 0,
  }));
  const others = claim.steps.filter(({ name }) => !finished.some((step) => step.name === name));
  return { ...claim, run, steps: [...others, ...records], claims: 0 };
}
