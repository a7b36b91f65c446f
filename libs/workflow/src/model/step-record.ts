/**
 * - `open`: delayed, or of a step that runs for each item: items are at work. `intent`: an attempt was begun and has no outcome.
 * - `retrying`: the next attempt has its time. `in_doubt`: nobody can say whether it took effect; a person is asked.
 * - `done`. `skipped`: a person has said that it shall count as done. `lost`: made at most once, its outcome is not known.
 * - `failed`: it gave up.
 */
export type StepStatus = 'open' | 'intent' | 'retrying' | 'in_doubt' | 'done' | 'skipped' | 'lost' | 'failed';

/** What is known of one step, or compensation, of a run in its present round: its newest generation. */
export interface StepRecord {
  readonly name: string;
  readonly kind: 'step' | 'compensation';
  /** Of a compensation: its step. */
  readonly undoes: string | null;
  readonly generation: number;
  readonly status: StepStatus;
  readonly attempts: number;
  readonly confirmAttempts: number;
  /** Some attempt may have taken effect, and nobody has said that it did not. */
  readonly inDoubt: boolean;
  /** The run left the state while it was open. */
  readonly abandoned: boolean;
  readonly output: unknown;
  /** When its first attempt was recorded: the order in which steps are undone is the reverse. Milliseconds since 1970. */
  readonly intendedMs: number;
  /** How long until the next attempt may start; 0 if it may now. Milliseconds. */
  readonly waitMs: number;
  /** How long until the last attempt can have no effect any more; 0 if that is so. Milliseconds. */
  readonly doubtMs: number;
  /** How long until no attempt may start any more; null: for ever. Milliseconds. */
  readonly expiresMs: number | null;
  /** Of a step that runs for each item, once it was begun: how many there are. */
  readonly itemsTotal: number | null;
}

/** Whether nothing more of a step is to be done for the run to go on. */
export function isSettled({ status }: Pick<StepRecord, 'status'>): boolean {
  return status === 'done' || status === 'skipped' || status === 'lost';
}

/** The record of a step of which nothing is known but its name and what is given. */
export function stepRecord(facts: Pick<StepRecord, 'name' | 'status'> & Partial<StepRecord>): StepRecord {
  return {
    kind: 'step',
    undoes: null,
    generation: 0,
    attempts: 1,
    confirmAttempts: 0,
    inDoubt: false,
    abandoned: false,
    output: null,
    // The newest of all, until it is read.
    intendedMs: Number.MAX_SAFE_INTEGER,
    waitMs: 0,
    doubtMs: 0,
    expiresMs: null,
    itemsTotal: null,
    ...facts,
  };
}
