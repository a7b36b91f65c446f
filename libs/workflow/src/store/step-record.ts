import type { StepRecord } from '../model/step-record.js';

/** As the expression below answers it. */
export type StepRow = StepRecord;

/** An expression for the steps of the run `r` as one JSON array, without the rows of single items. */
export const STEPS_OF_RUN = `coalesce((
  select jsonb_agg(jsonb_build_object('name', s.name, 'kind', s.kind, 'undoes', s.undoes, 'generation', s.generation, 'status', s.status,
    'attempts', s.attempts, 'confirmAttempts', s.confirm_attempts, 'inDoubt', s.in_doubt, 'abandoned', s.abandoned, 'output', s.output,
    'intendedMs', extract(epoch from s.intended_at) * 1000,
    'waitMs', ${millisecondsUntil('s.next_attempt_at')},
    'doubtMs', case when s.in_doubt then ${millisecondsUntil('greatest(s.deadline, s.earlier_deadline)')} else 0 end,
    'expiresMs', case when s.expires_at is not null then ${millisecondsUntil('s.expires_at')} end, 'itemsTotal', s.items_total))
  from pawl.step s where s.run_id = r.id and s.round = r.round and s.item = -1), '[]')`;

/** Of each step the newest generation: what an older one did was confirmed not to have happened, or is undone. */
export function toStepRecords(rows: readonly StepRow[]): StepRecord[] {
  const newest = new Map<string, StepRecord>();
  for (const row of rows) {
    if ((newest.get(row.name)?.generation ?? -1) < row.generation) newest.set(row.name, row);
  }
  return [...newest.values()];
}

/** An expression for how long it is until an instant; 0 where it is past, or null. Milliseconds. */
export function millisecondsUntil(instant: string): string {
  return `greatest(0, coalesce(extract(epoch from ${instant} - clock_timestamp()) * 1000, 0))`;
}
