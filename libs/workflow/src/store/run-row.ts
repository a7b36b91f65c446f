import type { Marks, Run, RunStatus, Undo } from '../model/run.js';

/** The columns of `pawl.run` that make a {@link Run}; used in every statement that reads one. */
export const RUN_COLUMNS = `r.id, r.workflow, r.key, r.version, r.status, r.state, r.round, r.data, r.marks,
  r.revision::float8 as revision, r.parked_count, r.attention, r.undo_scope, r.undo_to, r.no_return`;

/** The statuses of a run that has ended, as an array literal; a person can redrive the last two. */
export const ENDED = '{completed,compensated,cancelled,terminated,failed,compensation_failed}';

/** Those columns as pg answers them. */
export interface RunRow {
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  readonly version: number | null;
  readonly status: RunStatus;
  readonly state: string | null;
  readonly round: number;
  readonly data: unknown;
  readonly marks: Marks;
  readonly revision: number;
  readonly parked_count: number;
  readonly attention: string | null;
  readonly undo_scope: Undo['scope'] | null;
  readonly undo_to: Undo['to'] | null;
  readonly no_return: boolean;
}

export function toRun(row: RunRow): Run {
  const { parked_count: parkedCount, id, workflow, key, version, status, state, round, data, marks } = row;
  const { revision, attention, undo_scope: scope, undo_to: to, no_return: noReturn } = row;
  const undo = scope === null || to === null ? null : { scope, to };
  const position = { version, status, state, round, revision, parkedCount, attention, undo, noReturn };
  return { id, workflow, key, ...position, data, marks };
}
