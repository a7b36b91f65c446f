/** What decides how many numbers a partition may give. */
export interface Numbering {
  /** Whether the receiver has answered for this incarnation, on this very state of the database. */
  readonly open: boolean;
  /** Numbers that are given and not acknowledged. */
  readonly unacknowledged: number;
}

/**
 * How many messages may get their number now. None before the session is open: a restored sender would give numbers that are closed
 * at the receiver, and its new messages would be dropped as duplicates. And no more than the window has room for.
 */
export function numbersToGive(
  { open, unacknowledged }: Numbering,
  { window, atOnce }: { readonly window: number; readonly atOnce: number },
): number {
  return open ? Math.max(0, Math.min(window - unacknowledged, atOnce)) : 0;
}
