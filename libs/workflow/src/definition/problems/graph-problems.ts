import { type Definition, EVERY_STATE } from '../../model/definition.js';
import { type Edge, edgesOf, reachableFrom } from '../../machine/reachability.js';
import type { Report } from '../build/reading.js';

/** What is wrong with name, version, states and the ways between them. */
export function graphProblems(definition: Definition, report: Report): void {
  headProblems(definition, report);
  unknownStates(definition, report);
  const edges = edgesOf(definition).filter(
    (edge) => isKnown(definition, edge.from) && isKnown(definition, edge.to),
  );
  const ofRun = definition.timeouts
    .filter(({ in: state }) => state === EVERY_STATE)
    .map(({ member }) => member);
  for (const edge of edges) if (!ofRun.includes(edge.by)) directionProblem(definition, edge, report);
  for (const state of new Set(definition.states)) {
    if (definition.final.includes(state)) finalProblems(definition, state, report);
    else if (!edges.some(({ from }) => from === state)) {
      report(null, `state ${state} has no exit; ${exitFor(definition, state)}`);
    }
  }
  unreachableStates(definition, report);
}

/** What is most likely missing: the step that comes last leads nowhere. */
function exitFor({ steps }: Definition, state: string): string {
  const last = steps.filter((step) => step.in === state).at(-1);
  if (last && last.to === undefined)
    return `give the step ${last.name} a \`to\`, or let something else lead out of it`;
  return 'let an event, an update, a step or a timeout lead out of it, or make it final';
}

function headProblems({ workflow, version, states, final }: Definition, report: Report): void {
  if (!NAME.test(workflow))
    report(
      null,
      `the name '${workflow}' is not one like 'order' or 'order-refund', of at most 60 characters`,
    );
  if (!Number.isInteger(version) || version < 1)
    report(null, `version is ${version}; it is a whole number from 1`);
  if (states.length === 0) report(null, 'there are no states; name them in rank order');
  if (final.length === 0) report(null, 'no state is final; name those in which runs end');
  const repeated = states.filter((state, n) => states.indexOf(state) !== n);
  for (const state of new Set(repeated)) report(null, `state ${state} is named twice; remove one`);
}

function unknownStates(definition: Definition, report: Report): void {
  const named = [
    ...definition.final.map((state) => ({ member: null, state })),
    ...definition.handlers.flatMap(({ member, in: states, to }) =>
      [...states, to].map((state) => ({ member, state })),
    ),
    ...definition.steps.flatMap(({ name: member, in: state, to }) =>
      [state, to].map((one) => ({ member, state: one })),
    ),
    ...definition.timeouts.flatMap(({ member, in: state, to }) =>
      [state, to].map((one) => ({ member, state: one })),
    ),
  ];
  for (const { member, state } of named) {
    if (state === undefined || state === EVERY_STATE || isKnown(definition, state)) continue;
    report(member, `there is no state ${state}; the states are ${definition.states.join(', ')}`);
  }
}

function directionProblem({ states }: Definition, { from, to, by }: Edge, report: Report): void {
  if (from === to) report(by, `leads from ${from} to ${to} itself; leave \`to\` out, then the run stays`);
  else if (states.indexOf(to) < states.indexOf(from)) {
    report(
      by,
      `leads back from ${from} to ${to}; runs move to later states only, so reorder \`states\` or add one`,
    );
  }
}

function finalProblems({ handlers, steps, timeouts }: Definition, state: string, report: Report): void {
  const members = [
    ...handlers.filter((handler) => handler.in.includes(state)).map(({ member }) => member),
    ...steps.filter((step) => step.in === state).map(({ name }) => name),
    ...timeouts.filter((timeout) => timeout.in === state).map(({ member }) => member),
  ];
  for (const member of members)
    report(
      member,
      `belongs to the final state ${state}, where nothing happens; take it out, or do not end there`,
    );
}

function unreachableStates(definition: Definition, report: Report): void {
  const first = definition.handlers.filter(({ start }) => start);
  if (first.length === 0) {
    report(null, 'no event starts a run; add an @On with `start: true` and `to`');
    return;
  }
  const entered = first.flatMap(({ to }) => to ?? []);
  const reached = new Set(entered.flatMap((state) => [state, ...reachableFrom(definition, state)]));
  for (const state of definition.states) {
    if (!reached.has(state))
      report(null, `no way leads to state ${state}; add a transition, or remove the state`);
  }
}

function isKnown({ states }: Definition, state: string): boolean {
  return states.includes(state);
}

/** Names queues and rows: short, and without the characters that queues reserve. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,59}$/;
