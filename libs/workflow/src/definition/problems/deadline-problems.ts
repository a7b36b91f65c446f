import {
  type Definition,
  EVERY_STATE,
  type StepDefinition,
  type TimeoutDefinition,
} from '../../model/definition.js';
import type { Report } from '../build/reading.js';

/** What is wrong with the deadlines of the run and of its steps. */
export function deadlineProblems(definition: Definition, report: Report): void {
  for (const timeout of definition.timeouts)
    if (timeout.in === EVERY_STATE) rankProblem(definition, timeout, report);
  for (const step of definition.steps) delayProblem(step, report);
}

/** It may pass in any state that is not final, and a position only grows. */
function rankProblem({ states, final }: Definition, { member, to }: TimeoutDefinition, report: Report): void {
  if (to === undefined || !states.includes(to)) return;
  const tooHigh = states.slice(states.indexOf(to)).filter((state) => !final.includes(state));
  if (tooHigh.length === 0) return;
  report(
    member,
    `leads to ${to}, but may pass in ${tooHigh.join(', ')} too, and runs move to later states only; ` +
      `name ${to} behind every state that is not final, or use a @Timeout of the states before it`,
  );
}

function delayProblem({ name, delayMs, deadlineMs }: StepDefinition, report: Report): void {
  if (delayMs === undefined || deadlineMs === undefined || delayMs < deadlineMs) return;
  report(name, 'never begins: its deadline, which counts from before its delay, is not longer than that');
}
