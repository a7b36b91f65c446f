/**
 * A protocol as a machine that can be explored: where it begins, what can happen, and what must hold. Everything here is pure, and
 * `actions` answers the same list for equal states, for a counterexample is found again by replaying it.
 */
export interface Model<State, Action> {
  readonly initial: State;

  /** All that can happen next, faults included. An action that is possible but changes nothing may be left out or not. */
  actions(state: State): readonly Action[];

  /** The state after an action. Never changes the one it is given. */
  apply(state: State, action: Action): State;

  /** Equal for states that can not be told apart by anything that happens later: then only one of them is explored further. */
  key(state: State): string;

  /** An action in words a person reads, told before it happens. */
  describe(action: Action, before: State): string;

  /** What holds in every state, by name: answers what is wrong, or nothing. */
  readonly invariants: Checks<State>;

  /** What comes about in the end, once faults cease. */
  readonly eventually?: Eventually<State, Action>;
}

export type Checks<State> = Readonly<Record<string, (state: State) => string | undefined>>;

/**
 * Liveness: whatever has happened, from then on without faults, the machine comes to rest, and at rest these checks hold. `next` is the
 * fair scheduler: it must not starve what is enabled, else a machine that works is said to run for ever.
 */
export interface Eventually<State, Action> {
  /** What happens next without faults; nothing at rest. */
  next(state: State): Action | undefined;
  readonly atRest: Checks<State>;
  /** A last fault, from which it must come to a good end too: so that states after it need not be explored for this alone. */
  worse?(state: State): { readonly state: State; readonly told: string } | undefined;
}
