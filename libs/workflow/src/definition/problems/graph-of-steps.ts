import type { Definition, StepDefinition } from '../../model/definition.js';
import type { Report } from '../build/reading.js';

/** What is wrong with the order of steps, as `after` says it: who waits for whom. */
export function graphOfSteps({ states, steps }: Definition, report: Report): void {
  for (const step of steps) namedProblems(step, steps, report);
  for (const state of new Set(states)) {
    const ofState = steps.filter((step) => step.in === state);
    stepsBehindAnExit(ofState, state, report);
    // What leaves the state is left out here: whoever waits for that has been reported.
    const cycle = cycleIn(ofState.filter(({ to }) => to === undefined));
    if (cycle)
      report(
        cycle[0] ?? null,
        `waits for itself (${[...cycle, cycle[0]].join(' after ')}); take one of them out of \`after\``,
      );
  }
}

function namedProblems(step: StepDefinition, steps: readonly StepDefinition[], report: Report): void {
  const named = new Set(step.after.filter((name) => name !== step.name));
  if (step.after.includes(step.name)) report(step.name, 'waits for itself; take it out of its `after`');
  for (const name of named) {
    const other = steps.find((one) => one.name === name);
    if (!other)
      report(step.name, `\`after\` names ${name}, which is no step; name methods decorated with @Step`);
    else if (other.in !== step.in)
      report(
        step.name,
        `\`after\` names ${name}, a step of ${other.in}; steps of earlier states are over by then, so take it out`,
      );
  }
}

/** The step with `to` waits for all of its state. */
function stepsBehindAnExit(ofState: readonly StepDefinition[], state: string, report: Report): void {
  const exit = ofState.find(({ to }) => to !== undefined);
  if (!exit) return;
  for (const { name, to, after } of ofState) {
    if (name === exit.name || (to === undefined && !after.includes(exit.name))) continue;
    const remedy = `move it up, or take \`to\` from ${exit.name}`;
    const behind = ofState.findIndex((step) => step.name === name) > ofState.indexOf(exit);
    report(
      name,
      behind
        ? `never runs: ${exit.name} is declared before it and leaves ${state}; ${remedy}`
        : `never runs: it waits for ${exit.name}, which leaves ${state}; take that out of \`after\``,
    );
  }
}

/** The names along a cycle, beginning with the one that is declared first. */
function cycleIn(steps: readonly StepDefinition[]): string[] | undefined {
  const over = new Set<string>();
  for (const { name } of steps) {
    const cycle = cycleFrom(name, [], steps, over);
    if (cycle) return cycle;
  }
  return undefined;
}

function cycleFrom(
  name: string,
  way: readonly string[],
  steps: readonly StepDefinition[],
  over: Set<string>,
): string[] | undefined {
  if (way.includes(name)) return way.slice(way.indexOf(name));
  if (over.has(name)) return undefined;
  // Itself is reported by its name.
  const after = steps.find((step) => step.name === name)?.after.filter((before) => before !== name) ?? [];
  for (const before of after) {
    const cycle = cycleFrom(before, [...way, name], steps, over);
    if (cycle) return cycle;
  }
  over.add(name);
  return undefined;
}
