import type { Definition } from '../model/definition.js';
import type { Report } from './reading.js';

/** What is wrong with steps and timeouts: steps of a state run in the order of their declaration, each member once. */
export function stepProblems(definition: Definition, report: Report): void {
  for (const state of definition.states) stepsBehindAnExit(definition, state, report);
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
    report(member, `is declared as a timeout of ${state} twice; write a second method`);
  }
}

function stepsBehindAnExit({ steps }: Definition, state: string, report: Report): void {
  const ofState = steps.filter((step) => step.in === state);
  const exit = ofState.find(({ to }) => to !== undefined);
  if (!exit) return;
  for (const { name } of ofState.slice(ofState.indexOf(exit) + 1)) {
    const remedy = `move it up, or take \`to\` from ${exit.name}`;
    report(name, `never runs: ${exit.name} is declared before it and leaves ${state}; ${remedy}`);
  }
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
