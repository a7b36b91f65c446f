/** A timer that starts, or that gets another instant. */
export interface StartingTimer {
  /** The member that declares it. */
  readonly member: string;
  /** Its state, or every state (`*`). */
  readonly state: string;
  /** From now on. Milliseconds. */
  readonly afterMs?: number;
  /** Its instant, where the data says it. Milliseconds since 1970. */
  readonly atMs?: number;
}

/** What a change means for the timers of its run. */
export interface TimerChanges {
  /** Those that go on: all, only the deadlines of the run (it has left a state), or none (it has ended). */
  readonly keep: 'all' | 'deadlines' | 'none';
  /** Those that stop although their state goes on: the data names no instant any more. */
  readonly cancel: readonly Pick<StartingTimer, 'member' | 'state'>[];
  readonly start: readonly StartingTimer[];
}
