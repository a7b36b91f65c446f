import { EVERY_STATE, type TimeoutDefinition } from '../../model/definition.js';
import type { MemberDeclaration } from '../declaration.js';
import { positive, type Report, statesOf, syncMethodOf } from './reading.js';

type Declaration = Extract<MemberDeclaration, { kind: 'timeout' | 'deadline' }>;

/** The timeouts that one `@Timeout` declares, one per state; a `@Deadline` is one of every state. */
export function buildTimeouts(
  instance: object,
  declaration: Declaration,
  report: Report,
): TimeoutDefinition[] {
  const { member, options } = declaration;
  const method = syncMethodOf(instance, member, report);
  if (!method) return [];
  const { to, attention, undo = false } = options;
  if ((to === undefined) === (attention === undefined)) {
    report(member, 'needs either `to` (the run moves on) or `attention` (it stays, and a person is asked)');
  }
  const moment = momentOf(declaration, report);
  const states = declaration.kind === 'deadline' ? [EVERY_STATE] : statesOf(declaration.options.in);
  return states.map((state) => ({
    member,
    in: state,
    ...moment,
    ...(to !== undefined && { to }),
    undo,
    ...(attention !== undefined && { attention }),
    fold: (data) => method.call(instance, data) as void,
  }));
}

function momentOf(
  { member, options }: Declaration,
  report: Report,
): Pick<TimeoutDefinition, 'afterMs' | 'at'> {
  const { after, at } = options;
  if ((after === undefined) === (at === undefined)) {
    report(member, "needs either `after` (a duration like '30m') or `at` (the instant, from the data)");
  }
  if (at === undefined)
    return { afterMs: after === undefined ? 1 : positive(after, 'after', member, report) };
  return { at: (data) => at(data as Readonly<unknown>) };
}
