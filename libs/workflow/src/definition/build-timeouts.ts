import type { TimeoutDefinition } from '../model/definition.js';
import type { MemberDeclaration } from './declaration.js';
import { positive, type Report, statesOf, syncMethodOf } from './reading.js';

/** The timeouts that one `@Timeout` declares, one per state. */
export function buildTimeouts(
  instance: object,
  { member, options }: Extract<MemberDeclaration, { kind: 'timeout' }>,
  report: Report,
): TimeoutDefinition[] {
  const method = syncMethodOf(instance, member, report);
  if (!method) return [];
  const { in: states, after, to, attention } = options;
  if ((to === undefined) === (attention === undefined)) {
    report(member, 'needs either `to` (the run moves on) or `attention` (it stays, and a person is asked)');
  }
  const afterMs = positive(after, 'after', member, report);
  return statesOf(states).map((state) => ({
    member,
    in: state,
    afterMs,
    ...(to !== undefined && { to }),
    ...(attention !== undefined && { attention }),
    fold: (data) => method.call(instance, data) as void,
  }));
}
