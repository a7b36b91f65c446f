import { type Definition, EVERY_STATE, type StepDefinition } from '../../model/definition.js';
import { graphOfSteps } from './graph-of-steps.js';
import type { Report } from '../build/reading.js';

/** What is wrong with steps and timeouts: who waits for whom, what is promised, each member once. */
export function stepProblems(definition: Definition, report: Report): void {
  graphOfSteps(definition, report);
  for (const step of definition.steps) {
    choiceProblems(step, report);
    guaranteeProblem(step, report);
  }
  const { steps, handlers, timeouts } = definition;
  for (const name of repeatedIn(steps.map((step) => step.name))) {
    report(name, 'is declared as a step twice; a step has one state, so write a second method');
  }
  const folding = new Set([...handlers, ...timeouts].map(({ member }) => member));
  for (const name of new Set(steps.map((step) => step.name))) {
    if (folding.has(name))
      report(name, 'is a step and a handler; handlers fold, steps act: write two methods');
  }
  for (const { member, state } of repeatedTimeouts(definition)) {
    const what = state === EVERY_STATE ? 'deadline of the run' : `timeout of ${state}`;
    report(member, `is declared as a ${what} twice; write a second method`);
  }
}

/** What the compiler sees, except in plain JavaScript and behind a cast. */
function choiceProblems(step: StepDefinition, report: Report): void {
  for (const [option, known] of Object.entries(CHOICES)) {
    const given = step[option as keyof typeof CHOICES];
    if (!known.includes(given))
      report(step.name, `${option} is '${given}'; it is one of ${known.join(', ')}`);
  }
}

const CHOICES: Readonly<Record<'effect' | 'guarantee' | 'onFailure', readonly string[]>> = {
  effect: ['transactional', 'external'],
  guarantee: ['at-least-once', 'at-most-once'],
  onFailure: ['compensate', 'stop'],
};

/** What commits with its record is exactly once: there is nothing to choose. */
function guaranteeProblem({ name, effect, guarantee }: StepDefinition, report: Report): void {
  if (effect === 'transactional' && guarantee === 'at-most-once')
    report(
      name,
      "is transactional, which is exactly once; leave `guarantee` out, or make it effect: 'external'",
    );
}

/** A timer is named by its member and state. */
function repeatedTimeouts({ timeouts }: Definition): { member: string; state: string }[] {
  return timeouts
    .filter(
      ({ member, in: state }, n) =>
        timeouts.findIndex((one) => one.member === member && one.in === state) < n,
    )
    .map(({ member, in: state }) => ({ member, state }));
}

function repeatedIn(names: readonly string[]): Set<string> {
  return new Set(names.filter((name, n) => names.indexOf(name) !== n));
}
