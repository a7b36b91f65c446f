import { RefusedToBootError } from '@pawl/core';
import type { Definition } from '../model/definition.js';
import { build } from './build/build.js';
import { commutingProblems } from './problems/commuting-problems.js';
import { deadlineProblems } from './problems/deadline-problems.js';
import { headOf } from './declaration.js';
import { eventProblems } from './problems/event-problems.js';
import { graphProblems } from './problems/graph-problems.js';
import type { Report } from './build/reading.js';
import { stepProblems } from './problems/step-problems.js';
import { undoProblems } from './problems/undo-problems.js';
import { updateProblems } from './problems/update-problems.js';

/**
 * The definitions of all workflow instances of a process, checked.
 * @throws RefusedToBootError `workflow_invalid`: every problem of every workflow at once, each with class, member and remedy.
 */
export function verify(instances: readonly object[]): Definition[] {
  const problems: string[] = [];
  const definitions = instances.flatMap((instance) => check(instance, reporter(instance, problems)));
  problems.push(...sameNameProblems(instances));
  if (problems.length > 0)
    throw new RefusedToBootError('workflow_invalid', 'These workflows can not run:', problems);
  return definitions;
}

/**
 * The definition of one workflow instance, checked.
 * @throws RefusedToBootError `workflow_invalid`
 */
export function definitionOf(instance: object): Definition {
  return verify([instance])[0] as Definition;
}

function check(instance: object, report: Report): Definition[] {
  const head = headOf(instance);
  if (!head) {
    report(null, 'is not marked with @Workflow(); mark it, or do not register it as a workflow');
    return [];
  }
  const definition = build(instance, head, report);
  for (const problems of CHECKS) problems(definition, report);
  return [definition];
}

const CHECKS: readonly ((definition: Definition, report: Report) => void)[] = [
  graphProblems,
  eventProblems,
  stepProblems,
  updateProblems,
  deadlineProblems,
  undoProblems,
  commutingProblems,
];

function reporter(instance: object, problems: string[]): Report {
  const className = instance.constructor.name;
  return (member, problem) => {
    problems.push(`${className}${member === null ? '' : `.${member}`}: ${problem}.`);
  };
}

function sameNameProblems(instances: readonly object[]): string[] {
  const named = instances.flatMap((instance) => {
    const head = headOf(instance);
    return head
      ? [{ className: instance.constructor.name, name: `${head.name} version ${head.version}` }]
      : [];
  });
  return named.flatMap(({ className, name }, n) => {
    const first = named.findIndex((one) => one.name === name);
    if (first === n) return [];
    return [
      `${className}: is workflow ${name}, as ${named[first]?.className} is; give it another name or version.`,
    ];
  });
}
