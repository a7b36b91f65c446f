import { type MessageClass, messageTypeOf, payloadProblems } from '@pawl/messaging';
import type { UpdateHandler } from '../../model/definition.js';
import type { MemberDeclaration } from '../declaration.js';
import { type Report, statesOf, syncMethodOf } from './reading.js';

/** The update that one `@Update` declares; none if it is not on a method. */
export function buildUpdate(
  instance: object,
  { member, options }: Extract<MemberDeclaration, { kind: 'update' }>,
  report: Report,
): UpdateHandler[] {
  const method = syncMethodOf(instance, member, report);
  if (!method) return [];
  // Boot checks what the compiler has refused, too.
  const { in: accepting, to, undo = false, input }: Partial<typeof options> = options;
  const type = input && inputType(input, member, report);
  return [
    {
      member,
      in: statesOf(accepting ?? []),
      ...(to !== undefined && { to }),
      ...(undo && { undo }),
      ...(type && { inputType: `${type.name} v${type.version}` }),
      problems: type ? (given) => type.problems(given) : generalProblems,
      apply: (data, given) => method.call(instance, data, given),
    },
  ];
}

function generalProblems(input: unknown): readonly string[] {
  return payloadProblems(input).map((problem) => `the input ${problem}`);
}

function inputType(input: MessageClass, member: string, report: Report) {
  try {
    return messageTypeOf(input);
  } catch (error) {
    report(member, (error as Error).message.replace(/\.$/, ''));
    return undefined;
  }
}
