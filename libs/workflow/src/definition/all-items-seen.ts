import type { MessageClass } from '@pawl/messaging';

/** The guard that {@link allItemsSeen} declares. */
export interface AllItemsSeen<Event> {
  readonly items: MessageClass;
  readonly count: (event: Event) => number;
}

/**
 * The guard of an event that says how many items there are: it is accepted once the items 0 to count - 1 are folded, and
 * is early until then. From then on an item at or beyond the count is rejected, and so is a count below an item seen.
 *
 * @param items the class of the item events; their handler declares `item`
 */
export function allItemsSeen<Event>(
  items: MessageClass,
  count: (event: Event) => number,
): AllItemsSeen<Event> {
  return { items, count };
}
