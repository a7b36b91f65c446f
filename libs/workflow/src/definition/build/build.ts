import type { Definition, EventHandler } from '../../model/definition.js';
import { buildQueries, buildStatus } from './build-questions.js';
import { buildMigrations } from './build-migrations.js';
import { buildHandler } from './build-handler.js';
import { buildSteps } from './build-steps.js';
import { buildTimeouts } from './build-timeouts.js';
import { buildUpdate } from './build-update.js';
import { type MemberDeclaration, membersOf, staticMembersOf, type WorkflowHead } from '../declaration.js';
import type { Report } from './reading.js';

/**
 * The definition that the decorators of an instance's class declare, bound to the instance. What can not be built is
 * reported and left out, so that the rest can be checked too.
 */
export function build(instance: object, head: WorkflowHead, report: Report): Definition {
  for (const { member } of staticMembersOf(instance))
    report(member, 'is static; decorate methods of the instance');
  const members = membersOf(instance).filter((member) => belongs(head, member, report));
  const { name, version, states, final } = head;
  const status = buildStatus(instance, members, report);
  return {
    workflow: name,
    version,
    states,
    final,
    handlers: members.flatMap((member): EventHandler[] =>
      member.kind === 'on' ? buildHandler(instance, member, report) : [],
    ),
    steps: buildSteps(instance, members, report),
    timeouts: members.flatMap((member) =>
      member.kind === 'timeout' || member.kind === 'deadline' ? buildTimeouts(instance, member, report) : [],
    ),
    updates: members.flatMap((member) =>
      member.kind === 'update' ? buildUpdate(instance, member, report) : [],
    ),
    queries: buildQueries(instance, members, report),
    ...(status && { status }),
    migrations: buildMigrations(instance, members, report),
  };
}

function belongs(head: WorkflowHead, member: MemberDeclaration, report: Report): boolean {
  if (member.head === head) return true;
  report(
    member.member,
    `is decorated for workflow ${member.head.name}, its class for ${head.name}; use one of the two`,
  );
  return false;
}
