/** An update that somebody has asked for and waits for. */
export interface AskedUpdate {
  /** The same id again is the same update: it is answered as before, and not made again. */
  readonly id: string;
  /** The method that makes it. */
  readonly member: string;
  /** Plain JSON. */
  readonly input: unknown;
  /** SHA-256 of the canonical input. */
  readonly digest: string;
  readonly source: string;
  /** When the run was locked for it, by the database's clock. */
  readonly askedAt: Date;
  /** What the run's journal has under its id. */
  readonly earlier: AnsweredUpdate | undefined;
}

/** An update that was made. */
export interface AnsweredUpdate {
  readonly member: string;
  readonly digest: string;
  readonly answer: unknown;
}

/** Why an update was not made. Stable names: they are in {@link UpdateVerdict}, in errors and in the docs. */
export type UpdateRule =
  /** Its method said no. */
  | 'declined'
  | 'invalid-input'
  /** Its id was used for another update, or with other input. */
  | 'conflicting-input'
  /** The run may still come to a state that accepts it. */
  | 'state-not-reached'
  | 'state-left'
  /** It would undo what can not be taken back any more. */
  | 'past-no-return'
  | 'run-not-started'
  | 'run-ended'
  /** A step has given up, and a person has not seen to it yet. */
  | 'run-failed'
  /** The version of the run has no such update. */
  | 'unknown-update'
  /** This process does not have the version of the run. */
  | 'version-unknown'
  /** Its method threw, or answered what can not be kept. */
  | 'handler-failed';

/** What became of an update. A refused one has changed nothing. */
export type UpdateVerdict =
  | { readonly verdict: 'answered'; readonly answer: unknown }
  | {
      readonly verdict: 'refused';
      readonly rule: UpdateRule;
      /** For people: which state, or what the method said. */
      readonly detail: string;
      /** What is wrong with the input, or what the method added to its no. */
      readonly details?: Readonly<Record<string, unknown>>;
    };
