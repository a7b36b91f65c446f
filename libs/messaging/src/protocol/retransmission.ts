/** A numbered message that is not acknowledged. */
export interface Unacknowledged {
  readonly sequence: number;
  /** Whether its interval has passed since it was last published. */
  readonly due: boolean;
}

/** What its partition knows. */
export interface Progress {
  /** Whether the session is open. Until then the numbers may be those of an incarnation that has ended. */
  readonly open: boolean;
  /** One more than the highest acknowledged number. */
  readonly acknowledgedEnd: number;
  /** Whether no acknowledgement has covered anything for the first interval. */
  readonly stalled: boolean;
}

/** Whether a message counts as lost and is published again: while acknowledgements come, only what they have overtaken. */
export function countsAsLost({ sequence, due }: Unacknowledged, progress: Progress): boolean {
  return progress.open && due && (sequence < progress.acknowledgedEnd || progress.stalled);
}

/** From one publish to the next, milliseconds: doubles with each transmission. */
export function retransmissionDelay(
  transmissions: number,
  { firstIntervalMs, longestIntervalMs }: { firstIntervalMs: number; longestIntervalMs: number },
): number {
  return Math.min(longestIntervalMs, firstIntervalMs * 2 ** Math.min(transmissions, 30));
}
