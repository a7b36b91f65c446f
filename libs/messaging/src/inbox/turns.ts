import type { RangeSet } from '@pawl/core';
import type { Envelope } from '../envelope.js';

/**
 * - `now`: nothing of its key stands before it.
 * - `early`: the one before it has no verdict yet; it stays open.
 * - `held`: a dead letter of its key stands before it; it is stored behind that.
 * - `no-room`: the same, and so many are stored that it stays open.
 */
export type Turn = 'now' | 'early' | 'held' | 'no-room';

/** Whose turn it is in a batch that is gone through with the lowest number first. Messages without an order have theirs at once. */
export class Turns {
  /** Numbers that get their verdict with this batch. */
  private readonly closing = new Set<number>();
  private readonly heldKeys: Map<string, number>;

  /**
   * @param closed the numbers that have their verdict
   * @param held the keys that a dead letter holds, with the room behind it
   */
  constructor(
    private readonly closed: RangeSet,
    held: ReadonlyMap<string, number>,
    /** Room behind a dead letter of this batch. */
    private readonly heldPerKeyMax: number,
  ) {
    this.heldKeys = new Map(held);
  }

  of({ keyorder, previous, subject }: Envelope): Turn {
    if (keyorder === undefined) return 'now';
    if (previous !== undefined && !this.closed.has(previous) && !this.closing.has(previous)) return 'early';
    const room = this.heldKeys.get(subject);
    if (room === undefined) return 'now';
    return room > 0 ? 'held' : 'no-room';
  }

  handled({ sequence }: Envelope): void {
    this.closing.add(sequence);
  }

  held(envelope: Envelope): void {
    this.closing.add(envelope.sequence);
    this.heldKeys.set(envelope.subject, (this.heldKeys.get(envelope.subject) ?? 0) - 1);
  }

  buried(envelope: Envelope): void {
    if (envelope.keyorder === 'hold') this.parked(envelope);
    else this.closing.add(envelope.sequence);
  }

  /** It waits to be handled, so those behind it wait too, whatever a dead letter would do to them. */
  parked(envelope: Envelope): void {
    this.closing.add(envelope.sequence);
    this.heldKeys.set(envelope.subject, this.heldPerKeyMax);
  }
}
