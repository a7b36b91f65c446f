export interface StreamPartition {
  readonly stream: string;
  readonly partition: number;
}

/** Whose numbers are meant: those that one incarnation of a sender has given in one partition of a stream. */
export interface StreamAddress extends StreamPartition {
  /** A UUIDv7 of the sending side. */
  readonly incarnation: string;
}
