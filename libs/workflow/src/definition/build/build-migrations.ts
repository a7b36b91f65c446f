import type { MigrationDefinition } from '../../model/definition.js';
import type { MemberDeclaration } from '../declaration.js';
import { type Report, syncMethodOf } from './reading.js';

/** The migrations that a class declares: at most one from each earlier version of its workflow. */
export function buildMigrations(
  instance: object,
  members: readonly MemberDeclaration[],
  report: Report,
): MigrationDefinition[] {
  const declared = members.filter((member) => member.kind === 'migrate');
  return declared.flatMap(({ head, member, options: { from } }, n): MigrationDefinition[] => {
    if (!Number.isInteger(from) || from < 1 || from >= head.version) {
      report(
        member,
        `migrates from version ${from}, which is none before ${head.version}; name an earlier version of the workflow`,
      );
    }
    const first = declared.findIndex(({ options }) => options.from === from);
    if (first < n)
      report(
        member,
        `migrates from version ${from}, as ${declared[first]?.member ?? 'another'} does; remove one`,
      );
    if (members.some((other) => other.member === member && other.kind !== 'migrate'))
      report(
        member,
        'is a migration and something else; a migration is pure and is called by nobody else, so write two methods',
      );
    const method = syncMethodOf(instance, member, report);
    return method ? [{ member, from, migrate: (run) => method.call(instance, run) }] : [];
  });
}
