/** What became of an event. */
export type Verdict = 'applied' | 'duplicate' | 'late' | 'early' | 'rejected';

/** Which rule decided. Stable names: they are stored, shown and documented. */
export type Rule =
  // applied
  | 'started'
  | 'accepted'
  // duplicate
  | 'start-seen'
  | 'item-seen'
  | 'key-seen'
  // an event with neither item nor key is applied once per run
  | 'type-seen'
  | 'already-parked'
  // late: the first two answer whether its type (item, key) was applied before
  | 'applied-before'
  | 'never-applied'
  // its effects can not be taken back any more
  | 'past-no-return'
  // early
  | 'run-not-started'
  | 'state-not-reached'
  | 'run-failed'
  | 'guard-not-met'
  | 'version-unknown'
  // rejected
  | 'unknown-type'
  | 'invalid-payload'
  | 'invalid-subject'
  | 'index-beyond-count'
  | 'count-below-items'
  | 'conflicting-content'
  | 'handler-failed'
  | 'parked-limit'
  | 'item-limit'
  | 'key-limit';

export interface Decision {
  readonly verdict: Verdict;
  readonly rule: Rule;
  /** For people: which state, index or problem. */
  readonly detail?: string;
}

/** What the sender of an event is told. */
export interface Receipt extends Decision {
  readonly runId: string;
  readonly key: string;
  readonly status: string;
  readonly state: string | null;
}
