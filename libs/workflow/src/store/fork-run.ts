import { statement, type Transaction } from '@pawl/core';
import type { StepTold, ToldEntry } from '../machine/control/fork.js';
import type { Run } from '../model/run.js';
import type { RunAddress } from './lock-runs.js';

const JOURNAL_UP_TO = statement(
  'journal_up_to',
  `select revision::float8, kind, name, verdict, rule, to_state as "toState", digest, payload, event_id as "eventId", source, at
   from pawl.journal where run_id = $1 and revision <= $2 order by revision`,
);

// Closes are one behind the other by the run's lock, so instants tell what was done when the entry was written; a step that made it was done too.
const DONE_BY = statement(
  'steps_done_by',
  `select distinct on (s.name) s.name, s.output from pawl.step s
   join pawl.journal j on j.run_id = s.run_id and j.revision = $2
   where s.run_id = $1 and s.kind = 'step' and s.item = -1 and s.status in ('done', 'skipped')
     and (s.finished_at <= j.at or j.kind = 'step' and j.name = s.name)
   order by s.name, s.generation desc`,
);

const FIND_FORK = statement(
  'find_fork',
  `select id, forked_from as "forkedFrom" from pawl.run where workflow = $1 and key = $2`,
);

// The unique key decides between two forks of one name, or a fork and a start.
const INSERT_FORK = statement(
  'insert_fork',
  `insert into pawl.run (id, workflow, key, version, status, state, round, data, marks, revision, no_return, forked_from, due_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb, $10, $11, $12, case when $5 = 'running' then clock_timestamp() end)
   on conflict (workflow, key) do nothing returning id`,
);

const COPY_JOURNAL = statement(
  'copy_journal',
  `with copied as (
     insert into pawl.journal (run_id, revision, kind, name, subject, verdict, rule, detail, from_state, to_state, digest, payload, event_id, source, at)
     select $2, revision, kind, name, subject, verdict, rule, detail, from_state, to_state, digest, payload, event_id, source, at
     from pawl.journal where run_id = $1 and revision <= $3
   )
   insert into pawl.event_key (run_id, type, key, digest)
   select $2, k.type, k.key, k.digest from pawl.event_key k
   where k.run_id = $1 and exists (select 1 from pawl.journal j where j.run_id = $1 and j.revision <= $3 and j.kind = 'event'
     and j.verdict = 'applied' and j.name = k.type and j.subject = 'key:' || k.key)`,
);

const COPY_STEPS = statement(
  'copy_steps',
  `insert into pawl.step (run_id, round, name, status, effect, attempts, attempt_id, idempotency_key, fencing_token, finished_at, output)
   select distinct on (s.name) $2, s.round, s.name, 'skipped', s.effect, s.attempts, s.attempt_id, s.idempotency_key, 0, s.finished_at, s.output
   from pawl.step s where s.run_id = $1 and s.kind = 'step' and s.item = -1 and s.name = any ($3::text[]) and s.status in ('done', 'skipped')
   order by s.name, s.generation desc`,
);

// One revision more, in each of both runs, whose rows this transaction has locked or made.
const NOTE_FORK = statement(
  'note_fork',
  `with noted as (
     update pawl.run set revision = revision + 1, updated_at = clock_timestamp() where id = $1 returning id, revision, state
   )
   insert into pawl.journal (run_id, revision, kind, name, detail, from_state, to_state, payload)
   select id, revision, 'control', 'fork', $2, state, state, $3::jsonb from noted`,
);

export async function journalUpTo(tx: Transaction, runId: string, revision: number): Promise<ToldEntry[]> {
  return tx.query<ToldEntry>(JOURNAL_UP_TO, [runId, revision]);
}

/** The steps that were done, or skipped, when the run had this revision. */
export async function doneBy(tx: Transaction, runId: string, revision: number): Promise<StepTold[]> {
  return tx.query<StepTold>(DONE_BY, [runId, revision]);
}

export async function findFork(
  tx: Transaction,
  { workflow, key }: RunAddress,
): Promise<{ id: string; forkedFrom: string | null } | undefined> {
  const [row] = await tx.query<{ id: string; forkedFrom: string | null }>(FIND_FORK, [workflow, key]);
  return row;
}

/** Writes a run that was made of a point of another one, with its journal up to there. False: there is a run of this key. */
export async function insertFork(
  tx: Transaction,
  from: Run,
  run: Run,
  { steps, text }: { readonly steps: readonly string[]; readonly text: string },
): Promise<boolean> {
  const { id, workflow, key, version, status, state, round, data, marks, revision, noReturn } = run;
  const json = [JSON.stringify(data), JSON.stringify(marks)];
  const values = [id, workflow, key, version, status, state, round, ...json, revision, noReturn, from.id];
  if ((await tx.query(INSERT_FORK, values)).length === 0) return false;
  await tx.query(COPY_JOURNAL, [from.id, id, revision]);
  await tx.query(COPY_STEPS, [from.id, id, steps]);
  await tx.query(NOTE_FORK, [id, text, JSON.stringify({ forkedFrom: from.id, revision })]);
  await tx.query(NOTE_FORK, [from.id, text, JSON.stringify({ forkedTo: id, key, revision })]);
  return true;
}
