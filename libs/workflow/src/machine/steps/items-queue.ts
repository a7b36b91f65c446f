import type { ItemDue } from './items.js';

/**
 * The items of one step that are to be worked on and are not at work: in the order in which they came, and those that wait for their time. What
 * has failed once is taken alone, so that it takes no other item down with it. Instants are those of the caller's clock, in milliseconds.
 */
export class ItemsQueue {
  private readonly ready: ItemDue[] = [];
  private readonly apart: ItemDue[] = [];
  private readonly waiting = new Map<ItemDue, number>();

  /** All that is in it. */
  get size(): number {
    return this.ready.length + this.apart.length + this.waiting.size;
  }

  /** Those that may share a transaction and whose time has come. */
  get readyCount(): number {
    return this.ready.length;
  }

  /** When the first of those that wait may go on; infinity: none waits. */
  get soonestMs(): number {
    return Math.min(...this.waiting.values(), Number.POSITIVE_INFINITY);
  }

  add(items: readonly ItemDue[]): void {
    this.ready.push(...items);
  }

  /** What was not begun after all goes first again. */
  giveBack(items: readonly ItemDue[]): void {
    this.ready.unshift(...items);
  }

  addApart(items: readonly ItemDue[]): void {
    this.apart.push(...items);
  }

  wait(item: ItemDue, untilMs: number): void {
    this.waiting.set(item, untilMs);
  }

  /** One that is to stand alone, or up to `most` others; none: all that is left waits. */
  take(nowMs: number, most: number): ItemDue[] {
    if (this.soonestMs <= nowMs) this.wake(nowMs);
    const alone = this.apart.shift();
    return alone ? [alone] : this.ready.splice(0, most);
  }

  private wake(nowMs: number): void {
    for (const [item, untilMs] of this.waiting) {
      if (untilMs > nowMs) continue;
      this.waiting.delete(item);
      this.apart.push(item);
    }
  }
}
