/**
 * - `awaited`: events came before the start event; there is nothing to run yet.
 * - `running`: steps are due. `waiting`: for an event or a timer.
 * - `completed`: a final state was reached. `failed`: a step failed for good.
 */
export type RunStatus = 'awaited' | 'running' | 'waiting' | 'completed' | 'failed';

/** One durable execution of a workflow, as the pure machine sees it. */
export interface Run {
  readonly id: string;
  readonly workflow: string;
  /** The business key: one run per workflow and key. */
  readonly key: string;
  /** Null while awaited, as is the state. */
  readonly version: number | null;
  readonly status: RunStatus;
  readonly state: string | null;
  readonly round: number;
  readonly data: unknown;
  readonly marks: Marks;
  /** The number of journal entries. */
  readonly revision: number;
  /** How many decided events are parked. */
  readonly parkedCount: number;
  /** Why a person should look, if one should. */
  readonly attention: string | null;
}

/** What of each event type has been applied: constant size per type, never evicted. */
export type Marks = Readonly<Record<string, Mark>>;

export interface Mark {
  /** How often an event of this type was applied. */
  readonly applied: number;
  /** Content of the one applied; tells a repeated start from a conflicting one. Empty for items and keys: each has its own. */
  readonly digest: string;
  /** Item indexes folded, in the text form of int8multirange. */
  readonly items?: string;
  /** How many items there are, once an applied event has said so. */
  readonly count?: number;
}
