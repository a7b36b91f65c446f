/** When a failed attempt is tried again. All of it survives restarts: attempts and instants are kept in PostgreSQL. */
export interface RetryPolicy {
  /** All attempts, the first included. */
  readonly attemptsMax: number;
  readonly backoff: 'fixed' | 'exponential';
  readonly delayMs: number;
  /** No delay is longer. Milliseconds. */
  readonly delayMaxMs: number;
  /** Answers false for an error that no further attempt can mend. */
  readonly retryIf?: (error: unknown) => boolean;
}
