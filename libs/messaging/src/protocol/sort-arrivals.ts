import type { RangeSet } from '@pawl/core';

/** What a receiver knows of a partition when messages arrive. */
export interface ReceiverView {
  readonly closed: RangeSet;
  /** Whether a newer incarnation of the sender has opened a session: then these are copies from the past. */
  readonly superseded: boolean;
  /** Ids of messages that took effect under another number. Asked for while an incarnation is new. */
  readonly seen: ReadonlySet<string>;
}

/**
 * - `fresh`: not seen so far; its number closes with its effect.
 * - `recognised`: took effect under an older incarnation; its number closes without one.
 * - `duplicate`: its number is closed: handled, settled or given up.
 * - `superseded`: of an older session. The sender sends it again under its newer incarnation, if it still has it.
 * - `too-many-ranges`: closing it would make the set too long; it stays open until gaps before it fill.
 */
export type Arrival = 'fresh' | 'recognised' | 'duplicate' | 'superseded' | 'too-many-ranges';

/** Decides what each message of a batch is, lowest number first. Of two copies in one batch the second is a duplicate. */
export function sortArrivals<Message extends { readonly sequence: number; readonly id: string }>(
  { closed, superseded, seen }: ReceiverView,
  messages: readonly Message[],
  { rangesMax }: { readonly rangesMax: number },
): { readonly message: Message; readonly arrival: Arrival }[] {
  let marked = closed;
  const arrivalOf = ({ sequence, id }: Message): Arrival => {
    if (marked.has(sequence)) return 'duplicate';
    if (superseded) return 'superseded';
    const after = marked.add(sequence);
    if (after.rangeCount > rangesMax) return 'too-many-ranges';
    marked = after;
    return seen.has(id) ? 'recognised' : 'fresh';
  };
  return messages
    .toSorted((a, b) => a.sequence - b.sequence)
    .map((message) => ({ message, arrival: arrivalOf(message) }));
}
