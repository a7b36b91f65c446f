import { RangeSet } from '@pawl/core';
import { areItemsOver, freshItems, type ItemsProgress, outputOfItems } from './items.js';

const progress: ItemsProgress = {
  total: 8,
  done: RangeSet.of(0, 1, 4),
  failed: RangeSet.of(6),
};
const indexes = (found: ReturnType<typeof freshItems>) => found.items.map(({ index }) => index);

it('finds the items that nobody has begun, in bounded pieces', () => {
  const first = freshItems(progress, new Set([3]), 0, 2);
  expect([indexes(first), first.next]).toEqual([[2, 5], 6]);
  const second = freshItems(progress, new Set([3]), first.next, 2);
  expect([indexes(second), second.next]).toEqual([[7], 8]);
  expect(indexes(freshItems(progress, new Set([3]), second.next, 2))).toEqual([]);
});

it('is over when each item is done or has given up', () => {
  expect(areItemsOver(progress)).toBe(false);
  expect(areItemsOver({ ...progress, done: RangeSet.upTo(6).add(7) })).toBe(true);
  expect(areItemsOver({ total: 0, done: RangeSet.empty, failed: RangeSet.empty })).toBe(true);
});

it('says how many are done and how many gave up', () => {
  expect(outputOfItems(progress)).toEqual({ total: 8, done: 3, failed: 1 });
});
