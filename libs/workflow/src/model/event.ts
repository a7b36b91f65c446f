/** An outside fact on its way in. */
export interface ArrivingEvent {
  /** Unique per delivery of the same fact by the same source; names the row when it is parked. */
  readonly id: string;
  readonly type: string;
  readonly typeVersion: number;
  readonly payload: unknown;
  /** SHA-256 of the canonical payload. */
  readonly digest: string;
  /** Who delivered it: a stream, `http`, `client`. */
  readonly source: string;
  /** Of a start: the version of the workflow that it starts. Without it, the newest that the deciding process has. */
  readonly startVersion?: number;
}

/** An outside fact about to be decided. */
export interface IncomingEvent extends ArrivingEvent {
  /** When it came, by the database's clock. */
  readonly receivedAt: Date;
}

/** An early event that is kept with its run and decided again after every change. */
export interface ParkedEvent extends IncomingEvent {
  /** The text form of its subject: '', `item:3`, `key:abc`. */
  readonly subject: string;
}

/** A timer whose instant has come. */
export interface DueTimer {
  /** The member that declares it. */
  readonly member: string;
  readonly state: string;
  readonly round: number;
  readonly fireAt: Date;
}
