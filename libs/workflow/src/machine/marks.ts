import { RangeSet } from '@pawl/core';
import type { EventHandler, ItemsSeen } from '../model/definition.js';
import type { IncomingEvent } from '../model/event.js';
import type { Mark, Marks, Run } from '../model/run.js';
import type { Subject } from './subject.js';

/** What has been applied of an event type. */
export function markOf(run: Run, type: string): Mark {
  return (Object.hasOwn(run.marks, type) ? run.marks[type] : undefined) ?? NOTHING_APPLIED;
}

/** The item indexes folded. */
export function itemsOf(mark: Mark): RangeSet {
  const cached = parsed.get(mark);
  if (cached) return cached;
  const items = mark.items === undefined ? RangeSet.empty : RangeSet.parse(mark.items);
  parsed.set(mark, items);
  return items;
}

export function itemsSeen(run: Run): ItemsSeen {
  return { covers: (type, count) => itemsOf(markOf(run, type)).covers(count) };
}

/** The marks once an event is folded. Called for an applied event only: what is parked may yet be dropped (D14). */
export function withMark(run: Run, handler: EventHandler, subject: Subject, event: IncomingEvent): Marks {
  const before = markOf(run, event.type);
  const mark: Mark = {
    ...before,
    applied: before.applied + 1,
    digest: subject.kind === 'single' ? event.digest : '',
    ...(subject.kind === 'item' && { items: itemsOf(before).add(subject.index).toString() }),
  };
  return withCount({ ...run.marks, [event.type]: mark }, handler, event);
}

/** An event that announces the number of items leaves it with the mark of the items' type. */
function withCount(marks: Marks, handler: EventHandler, event: IncomingEvent): Marks {
  const announces = handler.when?.announces;
  if (!announces) return marks;
  const items = Object.hasOwn(marks, announces.type) ? marks[announces.type] : undefined;
  const mark = { ...(items ?? NOTHING_APPLIED), count: announces.count(event.payload) };
  return { ...marks, [announces.type]: mark };
}

const NOTHING_APPLIED: Mark = { applied: 0, digest: '' };

/** Marks are immutable, so each text is read once. */
const parsed = new WeakMap<Mark, RangeSet>();
