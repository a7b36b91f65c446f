import type { QueryHandler, StatusView } from '../../model/definition.js';
import type { MemberDeclaration } from '../declaration.js';
import { type Report, syncMethodOf } from './reading.js';

/** The queries that a class declares. */
export function buildQueries(
  instance: object,
  members: readonly MemberDeclaration[],
  report: Report,
): QueryHandler[] {
  return members.flatMap(({ kind, member }) => {
    const method = kind === 'query' ? syncMethodOf(instance, member, report) : undefined;
    return method ? [{ member, answer: (data, args) => method.call(instance, data, args) }] : [];
  });
}

/** How a class tells its status, if it says so. */
export function buildStatus(
  instance: object,
  members: readonly MemberDeclaration[],
  report: Report,
): StatusView | undefined {
  const declared = members.find(({ kind }) => kind === 'status');
  const method = declared && syncMethodOf(instance, declared.member, report);
  if (!declared || !method) return undefined;
  return { member: declared.member, answer: (data, position) => method.call(instance, data, position) };
}
