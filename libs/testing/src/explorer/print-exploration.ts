import type { Exploration } from './explore-model.js';

/** An exploration as a person reads it: the coverage in a line or, if something is wrong, the steps that lead there. */
export function printExploration(exploration: Exploration): string {
  const { outcome, states, transitions, depth } = exploration;
  const covered = `${states} states, ${transitions} transitions, ${depth} actions deep`;
  if (outcome !== 'violated') return `${outcome}: ${covered}`;
  const { invariant, problem, steps, thenWithoutFaults } = exploration;
  return [
    `violated: "${invariant}": ${problem} (${covered})`,
    ...numbered(steps, 1),
    ...(thenWithoutFaults.length > 0 ? ['  then, without faults:'] : []),
    ...numbered(thenWithoutFaults, steps.length + 1),
  ].join('\n');
}

function numbered(lines: readonly string[], first: number): string[] {
  return lines.map((line, n) => `${String(first + n).padStart(4)}. ${line}`);
}
