import type { Marks, Run, RunStatus } from '../model/run.js';

/** The columns of `pawl.run` that make a {@link Run}; used in every statement that reads one. */
export const RUN_COLUMNS = `r.id, r.workflow, r.key, r.version, r.status, r.state, r.round, r.data, r.marks,
  r.revision::float8 as revision, r.parked_count, r.attention`;

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
}

export function toRun(row: RunRow): Run {
  const { parked_count: parkedCount, id, workflow, key, version, status, state, round, data, marks } = row;
  const { revision, attention } = row;
  return { id, workflow, key, version, status, state, round, data, marks, revision, parkedCount, attention };
}
