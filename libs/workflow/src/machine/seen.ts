import type { EventHandler } from '../model/definition.js';
import type { IncomingEvent } from '../model/event.js';
import type { Run } from '../model/run.js';
import type { Decision, Rule } from '../model/verdict.js';
import type { Facts } from './facts.js';
import { itemsOf, markOf } from './marks.js';
import type { Recognised } from './recognise.js';
import { callUserCode } from './user-code.js';

/** The verdict on an event whose item, key or type was applied before; undefined for a new one. */
export function seenBefore(run: Run, recognised: Recognised, facts: Facts): Decision | undefined {
  const { event, handler, subject, accepted, reachable } = recognised;
  const mark = markOf(run, event.type);
  if (subject.kind === 'item') {
    if (!itemsOf(mark).has(subject.index)) return undefined;
    return repeated('item-seen', run, recognised, facts.known(event.type, subject.text));
  }
  if (subject.kind === 'key') {
    const digest = facts.known(event.type, subject.text);
    return digest === undefined ? undefined : repeated('key-seen', run, recognised, digest);
  }
  if (mark.applied === 0) return undefined;
  if (handler.start) return repeated('start-seen', run, recognised, mark.digest);
  if (!accepted && !reachable) return { verdict: 'late', rule: 'applied-before' };
  return repeated('type-seen', run, recognised, mark.digest);
}

/**
 * The verdict on an event of which a copy is parked. Only digests can tell whether they say the same: `same` compares with
 * `data`, where the parked one has left nothing yet.
 */
export function seenParked({ event, subject }: Recognised, { parked }: Facts): Decision | undefined {
  if (parked.some((one) => one === event)) return undefined;
  const copy = parked.find((one) => one.type === event.type && one.subject === subject.text);
  if (!copy) return undefined;
  return copy.digest === event.digest
    ? { verdict: 'duplicate', rule: 'already-parked' }
    : conflict(event, subject.text, 'parked');
}

function repeated(
  rule: Rule,
  run: Run,
  { event, handler, subject }: Recognised,
  digest: string | undefined,
): Decision {
  return saysTheSame(handler, run, event, digest)
    ? { verdict: 'duplicate', rule }
    : conflict(event, subject.text, 'applied');
}

function saysTheSame(
  { same, member }: EventHandler,
  run: Run,
  event: IncomingEvent,
  digest: string | undefined,
): boolean {
  if (digest === event.digest) return true;
  return same !== undefined && callUserCode(`${member}'s same`, () => same(run.data, event.payload));
}

function conflict({ type }: IncomingEvent, subject: string, whatIsKnown: 'applied' | 'parked'): Decision {
  const detail = `${type}${subject && ` ${subject}`} was ${whatIsKnown} with other content`;
  return { verdict: 'rejected', rule: 'conflicting-content', detail };
}
