import { type MessageClass, type MessageType, messageTypeOf } from '@pawl/messaging';
import type { EventHandler, Guard, SubjectRule } from '../../model/definition.js';
import { positive, type Report, statesOf, syncMethodOf } from './reading.js';
import type { AnyOnOptions, MemberDeclaration } from '../declaration.js';

/** The handler that one `@On` declares; none if its event has no name. */
export function buildHandler(
  instance: object,
  { member, type, options }: Extract<MemberDeclaration, { kind: 'on' }>,
  report: Report,
): EventHandler[] {
  const method = syncMethodOf(instance, member, report);
  const event = messageType(type, member, report);
  if (!method || !event) return [];
  const guard = guardOf(options, member, report);
  const { late = 'record', competes = false, undo = false, parkedFor = '24h' } = options.start ? {} : options;
  return [
    {
      member,
      type: event.name,
      typeVersion: event.version,
      problems: (payload) => event.problems(payload),
      ...positionOf(options, member, report),
      subject: subjectRuleOf(options, member, report),
      ...(guard && { when: guard }),
      ...(options.same && { same: options.same as NonNullable<EventHandler['same']> }),
      late,
      ...(options.publish && { publish: options.publish }),
      competes,
      ...(undo && { undo }),
      parkedMaxMs: positive(parkedFor, 'parkedFor', member, report),
      fold: (data, payload) => method.call(instance, data, payload) as void,
    },
  ];
}

function positionOf(options: AnyOnOptions, member: string, report: Report) {
  const { start = false, in: accepting, to } = options;
  if (start && accepting !== undefined) {
    report(member, 'has `start` and `in`; an event either starts a run or is accepted by one');
  }
  if (start && to === undefined) report(member, 'starts a run without `to`; name its first state');
  if (!start && (accepting === undefined || accepting.length === 0)) {
    report(member, 'has neither `start` nor `in`; name the states that accept the event');
  }
  return { start, in: start ? [] : statesOf(accepting ?? []), ...(to !== undefined && { to }) };
}

function subjectRuleOf(options: AnyOnOptions, member: string, report: Report): SubjectRule {
  const { item, key, when } = options as { item?: unknown; key?: unknown; when?: unknown };
  if (options.start) {
    if (item ?? key ?? when)
      report(member, 'starts a run and has `item`, `key` or `when`; a run starts once, unconditionally');
    return { kind: 'single' };
  }
  if (options.item && options.key) report(member, 'has `item` and `key`; an event is about one of them');
  if (options.item) return { kind: 'item', of: options.item };
  return options.key ? { kind: 'key', of: options.key } : { kind: 'single' };
}

function guardOf(options: AnyOnOptions, member: string, report: Report): Guard | undefined {
  if (options.start || !options.when) return undefined;
  const guard = options.when;
  if (typeof guard === 'function') {
    if (guard.constructor.name !== 'Function')
      report(member, '`when` is async; a guard is pure and synchronous');
    return { name: guard.name, holds: (data, event) => guard(data as Readonly<unknown>, event) };
  }
  const items = messageType(guard.items, member, report);
  if (!items) return undefined;
  const { count } = guard;
  return {
    name: 'allItemsSeen',
    holds: (_data, event, seen) => seen.covers(items.name, count(event)),
    announces: { type: items.name, count },
  };
}

function messageType(type: MessageClass, member: string, report: Report): MessageType | undefined {
  try {
    return messageTypeOf(type);
  } catch (error) {
    report(member, (error as Error).message.replace(/\.$/, ''));
    return undefined;
  }
}
