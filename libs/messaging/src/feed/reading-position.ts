import type { RangeSet } from '@pawl/core';

/** Where messages that stayed open are asked for again: after a second, then ever more seldom. Milliseconds. */
const FIRST_INTERVAL_MS = 1_000;
const LONGEST_INTERVAL_MS = 60_000;

/**
 * From which number on the next page is asked for. That is the inbox's watermark, unless messages above it stayed open: then reading goes
 * on behind them, and they are asked for again at growing intervals, so that they hold up no other.
 *
 * Kept in memory: a process that starts begins at the watermark.
 */
export class ReadingPosition {
  /** The sender's, of the last page. */
  incarnation: string | undefined;
  /** One more than the last number that was read. */
  private cursor = 0;
  /** One more than the highest number that was read by this process. */
  private end = 0;
  private retry: { readonly atMs: number; readonly intervalMs: number } | undefined;

  /**
   * @param closed what is closed of `incarnation`
   * @returns where to read on; whether those messages may have been tried before; how long there is nothing else to do
   */
  next(
    { incarnation, closed }: { readonly incarnation: string | undefined; readonly closed: RangeSet },
    nowMs: number,
  ): { from: number; repeated: boolean; waitMs: number } {
    this.incarnation ??= incarnation;
    if (closed.watermark >= this.cursor) {
      this.cursor = closed.watermark;
      this.retry = undefined;
    } else if (this.retry === undefined) {
      this.retry = { atMs: nowMs + FIRST_INTERVAL_MS, intervalMs: FIRST_INTERVAL_MS };
    } else if (nowMs >= this.retry.atMs) {
      const intervalMs = Math.min(2 * this.retry.intervalMs, LONGEST_INTERVAL_MS);
      this.retry = { atMs: nowMs + intervalMs, intervalMs };
      this.cursor = closed.watermark;
    }
    const waitMs = this.retry === undefined ? Number.POSITIVE_INFINITY : this.retry.atMs - nowMs;
    return { from: this.cursor, repeated: this.cursor < this.end, waitMs };
  }

  /** A page has come. Answers whether it is the first of its incarnation here: another process may have tried it. */
  arrived({
    incarnation,
    last,
  }: {
    readonly incarnation: string | null;
    readonly last: number | null;
  }): boolean {
    if (incarnation !== null && incarnation !== this.incarnation) {
      this.incarnation = incarnation;
      this.cursor = 0;
      this.end = 0;
      this.retry = undefined;
    }
    const first = this.end === 0;
    if (last !== null) this.cursor = last + 1;
    this.end = Math.max(this.end, this.cursor);
    return first;
  }
}
