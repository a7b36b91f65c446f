import type { RangeSet } from '@pawl/core';

/** What a receiver knows of a partition when a message arrives. */
export interface ReceiverView {
  /** What is closed, and what a batch is about to close: of two copies in one batch the second is a duplicate. */
  readonly closed: RangeSet;
  /** Whether a newer incarnation of the sender has opened a session: then this is a copy from the past. */
  readonly superseded: boolean;
  /** Ids of messages that took effect under an older incarnation. Asked for while an incarnation is new. */
  readonly seen: ReadonlySet<string>;
}

/**
 * - `fresh`: not seen so far; its number closes with its effect.
 * - `recognised`: took effect under an older incarnation; its number closes without one.
 * - `duplicate`: its number is closed: handled, settled or given up.
 * - `superseded`: of an older session. The sender sends it again under its newer incarnation, if it still has it.
 * - `too-many-ranges`: closing it would make the set too long; it stays open until gaps before it fill. Never the lowest open number: what
 *   others wait for (their order, their gap) always finds room, so a set may have one range more than `rangesMax`.
 */
export type Arrival = 'fresh' | 'recognised' | 'duplicate' | 'superseded' | 'too-many-ranges';

/** Decides what an arriving message is. */
export function judgeArrival(
  { closed, superseded, seen }: ReceiverView,
  { sequence, id }: { readonly sequence: number; readonly id: string },
  { rangesMax }: { readonly rangesMax: number },
): Arrival {
  if (closed.has(sequence)) return 'duplicate';
  if (superseded) return 'superseded';
  if (sequence !== closed.watermark && closed.add(sequence).rangeCount > rangesMax) return 'too-many-ranges';
  return seen.has(id) ? 'recognised' : 'fresh';
}
