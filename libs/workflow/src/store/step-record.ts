/** What is known of one step of a run in its present round. */
export interface StepRecord {
  readonly name: string;
  readonly status: 'intent' | 'retrying' | 'done' | 'failed';
  readonly attempts: number;
  readonly output: unknown;
  /** How long until the next attempt may start; 0 if it may now. Milliseconds. */
  readonly waitMs: number;
}

export interface StepRow {
  readonly name: string;
  readonly status: StepRecord['status'];
  readonly attempts: number;
  readonly output: unknown;
  readonly wait_ms: number;
}

/** An expression for the steps of the run `r` as one JSON array. */
export const STEPS_OF_RUN = `coalesce((
  select jsonb_agg(jsonb_build_object('name', s.name, 'status', s.status, 'attempts', s.attempts, 'output', s.output,
    'wait_ms', greatest(0, coalesce(extract(epoch from s.next_attempt_at - clock_timestamp()) * 1000, 0))))
  from pawl.step s where s.run_id = r.id and s.round = r.round), '[]')`;

export function toStepRecord({ wait_ms: waitMs, name, status, attempts, output }: StepRow): StepRecord {
  return { name, status, attempts, output, waitMs };
}
