/**
 * - `awaited`: events came before the start event; there is nothing to run yet.
 * - `running`: steps are due. `waiting`: for an event, a timer, or a person.
 * - `paused`: by a person; no step is begun and no timer fires until it is resumed.
 * - `compensating`: what was done is undone, newest first.
 * - `completed`: a final state was reached. `compensated`, `cancelled`: all was undone, after a failure or because somebody asked.
 * - `terminated`: ended by a person, nothing undone.
 * - `failed`: a step gave up and nothing is undone. `compensation_failed`: something could not be undone. A person can redrive both.
 */
export type RunStatus =
  | 'awaited'
  | 'running'
  | 'waiting'
  | 'paused'
  | 'compensating'
  | 'completed'
  | 'compensated'
  | 'cancelled'
  | 'terminated'
  | 'failed'
  | 'compensation_failed';

/** What is undone, and how the run ends when that is done. */
export interface Undo {
  /** All that steps have done, or only what was open in a state that the run has left. */
  readonly scope: 'all' | 'abandoned';
  readonly to: 'completed' | 'compensated' | 'cancelled';
}

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
  /** Kept when the run has ended, and while it is paused. Null: nothing is undone. */
  readonly undo: Undo | null;
  /** A step that can not be taken back has begun. */
  readonly noReturn: boolean;
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
