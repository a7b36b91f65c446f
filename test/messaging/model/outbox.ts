import type { RangeSet } from '@pawl/core';
import type { Limits } from './happening.js';
import { copies, type Copy } from './network.js';
import type { OutboxRow, OutboxStream, SenderDatabase } from './world.js';

/** A row with a number. */
export type Numbered = OutboxRow & { readonly sequence: number };

/** What goes over the bus for a row: its message or, if that was waived, the question whether it took effect. */
export function copyOf({ message, sequence, waived }: Numbered, { incarnation }: OutboxStream): Copy {
  return (waived ? copies.settlement : copies.message)(message, incarnation, sequence);
}

/** The rows that count in the window. */
export function outOf({ outbox, stream }: SenderDatabase): Numbered[] {
  if (!stream?.open) return [];
  return outbox.filter((row): row is Numbered => row.sequence !== undefined && !row.kept);
}

/** Ends what is covered: deletes it, or keeps it for the restore window. */
export function close(
  sender: SenderDatabase,
  stream: OutboxStream,
  closed: RangeSet,
  { keeps, rules }: Limits,
): SenderDatabase {
  const outbox = sender.outbox.flatMap((row) => {
    const { sequence, kept, waived } = row;
    if (sequence === undefined || kept || !rules.endsWith(closed, { sequence, waived })) return row;
    return keeps ? { ...row, kept: true } : [];
  });
  const unacknowledged = outbox.filter(({ sequence, kept }) => sequence !== undefined && !kept).length;
  return { ...sender, outbox, stream: { ...stream, unacknowledged } };
}
