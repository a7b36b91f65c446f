/** One small job that keeps the system going, safe to run on every replica at the same time. */
export interface Duty {
  readonly name: string;
  /** Time from the end of one pass to the start of the next. Milliseconds. */
  readonly everyMs: number;
  /** One bounded pass. Answers how much it did; more than nothing means it is worth looking again at once. */
  pass(signal: AbortSignal): Promise<number>;
}
