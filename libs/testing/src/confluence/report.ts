import type { WorkflowExploration } from './explore.js';

interface Tried {
  readonly events: number;
  readonly copies: number;
  readonly seed: number;
}

/** An exploration as a person reads it. */
export function report(found: Omit<WorkflowExploration, 'report'>, { events, copies, seed }: Tried): string {
  const { outcome, counterexample, states, randomRuns, ends } = found;
  if (counterexample !== undefined) return counterexampleInWords(counterexample);
  const times = copies === 1 ? '' : `, each up to ${copies} times`;
  const ended = `ends in ${ends.join(' or ')}`;
  if (outcome === 'converges')
    return `Every order of ${events} events${times}, ${ended} (${states} positions).`;
  return `Too many orders of ${events} events to try all: ${states} positions and ${randomRuns} random orders (seed ${seed}) ${ended}.`;
}

function counterexampleInWords({
  invariant,
  problems,
  usual,
  steps,
}: NonNullable<WorkflowExploration['counterexample']>): string {
  if (invariant !== undefined)
    return [`"${invariant}" does not hold: ${problems.join(' ')}`, ...numbered(steps)].join('\n');
  return [
    'The same events end differently in two orders.',
    'One:',
    ...numbered(usual),
    'The other:',
    ...numbered(steps),
    'Then these differ:',
    ...problems.map((problem) => `  ${problem}`),
  ].join('\n');
}

function numbered(lines: readonly string[]): string[] {
  return lines.map((line, n) => `  ${n + 1}. ${line}`);
}
