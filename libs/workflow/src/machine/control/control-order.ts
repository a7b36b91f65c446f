import type { JournalEntry } from '../../model/change.js';
import type { Run } from '../../model/run.js';
import type { StepRecord } from '../../model/step-record.js';

/** What a person asks of a run. */
export type ControlOrder =
  | { readonly action: 'cancel' | 'terminate' | 'pause' | 'resume' }
  | ({ readonly action: 'redrive' } & RedriveTerms)
  | ({ readonly action: 'skip' } & SkipTerms);

export interface RedriveTerms {
  /** Only this step, or compensation. Default: all that have given up or are in doubt. */
  readonly step?: string;
  /** A JSON merge patch (RFC 7396) of the run's data: the steps are made again under other idempotency keys. */
  readonly data?: object;
  /** What is known by now of an attempt in doubt. `happened`: the step is done, with `output`. */
  readonly assume?: 'happened' | 'not-happened';
  readonly output?: unknown;
}

export interface SkipTerms {
  /** Needed only where several have given up, or are in doubt. */
  readonly step?: string;
  /** What later steps find as its output. Default null. */
  readonly output?: unknown;
}

/** What is known of a run besides its row. */
export interface ControlFacts {
  /** Of each step and compensation of its round the newest generation. */
  readonly records: readonly StepRecord[];
  /** It is due, and nobody claims it: too many claims have ended without progress. */
  readonly quarantined: boolean;
}

/**
 * What becomes of a step's record:
 * - `retry`: fresh attempts under the same key, now. `renew`: fresh attempts as a new generation, so under another key.
 * - `settle`: it counts as done.
 */
export type StepOrder =
  | { readonly kind: 'retry' | 'renew'; readonly record: StepRecord; readonly inDoubt: boolean }
  | {
      readonly kind: 'settle';
      readonly record: StepRecord;
      readonly status: 'skipped' | 'done';
      readonly output: unknown;
    };

/** An effect that stays, although it could be undone. */
export interface EffectLeft {
  readonly step: string;
  /** `unknown`: an attempt may have taken effect. */
  readonly outcome: 'done' | 'unknown';
  readonly compensation: string;
}

/** Why a run can not do what is asked of it. Stable: HTTP callers match on it. */
export type RefusalCode =
  | 'not_started'
  | 'ended'
  | 'failed'
  | 'compensation_failed'
  | 'paused'
  | 'past_no_return'
  | 'undo_under_way'
  | 'nothing_to_redrive'
  | 'nothing_to_skip'
  | 'step_unknown'
  | 'step_not_failed'
  | 'step_ambiguous'
  | 'step_in_doubt'
  | 'step_left_behind'
  | 'data_invalid'
  | 'output_invalid'
  | 'fork_point'
  | 'fork_diverges'
  | 'key_taken'
  | 'version_unknown'
  | 'id_reused';

export interface ControlRefusal {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  /** For people; names the remedy if there is one. */
  readonly reason: string;
}

/** `unchanged`: the run is there already. */
export type Controlled = ControlChange | { readonly kind: 'unchanged' } | ControlRefusal;

/** All that follows from an order for one run; the store writes it in one transaction, under the run's lock. */
export interface ControlChange {
  readonly kind: 'changed';
  readonly run: Run;
  /** The timers of the position that was left go: the run is in another state, or nothing moves it any more. */
  readonly moved: boolean;
  /** The timers go on, by the time later that the run was paused. */
  readonly resumed: boolean;
  readonly journal: readonly JournalEntry[];
  readonly steps: readonly StepOrder[];
  /** Of a run that is terminated: what it leaves behind. */
  readonly left: readonly EffectLeft[];
}

/** A decision before it is journaled. */
export type Decided =
  | (Pick<ControlChange, 'kind' | 'run'> &
      Partial<ControlChange> & { /** What it has changed, for the journal. */ readonly detail?: unknown })
  | Exclude<Controlled, ControlChange>;

export const UNCHANGED = { kind: 'unchanged' } as const;

export function refused(code: RefusalCode, reason: string): ControlRefusal {
  return { kind: 'refused', code, reason };
}
