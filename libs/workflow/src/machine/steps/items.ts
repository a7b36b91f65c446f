import { type RangeSet } from '@pawl/core';
import type { StepRecord } from '../../model/step-record.js';

/** How far a step over items has come, or the undoing of one. */
export interface ItemsProgress {
  readonly total: number;
  readonly done: RangeSet;
  /** They gave up, and the others went on. */
  readonly failed: RangeSet;
}

/** One item that is to be worked on. */
export interface ItemDue {
  readonly index: number;
  /** What is known of its attempts; undefined: there was none. */
  readonly record: StepRecord | undefined;
  /** Where it is undone: what the step has done with it, or may have done. */
  readonly undoes?: StepRecord;
}

/** What a step over items returns. */
export interface ItemsOutput {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
}

/** The output of a step over items, as far as it has come. */
export function outputOfItems({ total, done, failed }: ItemsProgress): ItemsOutput {
  return { total, done: done.size, failed: failed.size };
}

/** Whether each item is done or has given up. */
export function areItemsOver({ total, done, failed }: ItemsProgress): boolean {
  return done.size + failed.size >= total;
}

/** The items from `from` on that were not begun yet, at most `most`, and where to look on. */
export function freshItems(
  { total, done, failed }: ItemsProgress,
  open: ReadonlySet<number>,
  from: number,
  most: number,
): { readonly items: readonly ItemDue[]; readonly next: number } {
  const items: ItemDue[] = [];
  let next = from;
  for (; next < total && items.length < most; next++) {
    if (!done.has(next) && !failed.has(next) && !open.has(next))
      items.push({ index: next, record: undefined });
  }
  return { items, next };
}
