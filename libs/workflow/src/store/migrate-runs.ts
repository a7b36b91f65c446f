import { statement, type Transaction } from '@pawl/core';
import type { KeptGraph } from '../definition/graph-diff.js';
import type { JournalEntry } from '../model/change.js';
import type { Run } from '../model/run.js';
import type { StepRecord } from '../model/step-record.js';
import { STEPS_OF_RUN, type StepRow, toStepRecords } from './step-record.js';
import { UNFINISHED } from './versions-in-use.js';

const RUNS_TO_MIGRATE = statement(
  'runs_to_migrate',
  `select r.id, r.key from pawl.run r
   where r.workflow = $1 and r.version = $2 and r.status = any ($3::text[]) and r.id > $4 order by r.id limit $5`,
);

const KEPT_GRAPH = statement(
  'kept_graph',
  `select graph from pawl.definition where workflow = $1 and version = $2`,
);

// The row is locked, so a lease that has not run out holds until COMMIT; one that has is fenced off by the token.
const MIGRATION_FACTS = statement(
  'migration_facts',
  `select ${STEPS_OF_RUN} as steps, coalesce(r.lease_until > clock_timestamp(), false) as held from pawl.run r where r.id = $1`,
);

// The token: a worker of the old version whose lease has run out may still be at a step, and its closing statement must hit no row.
const WRITE_MIGRATED = statement(
  'write_migrated',
  `with moved as (
     update pawl.run set version = $2, state = $3, status = $4, data = $5::jsonb, revision = $6,
       fencing_token = fencing_token + 1, claims = 0, lease_until = null,
       due_at = case when $4 = 'running' then clock_timestamp() end,
       dispatch = dispatch + 1, updated_at = clock_timestamp()
     where id = $1 returning id, workflow, key, dispatch
   ), journaled as (
     insert into pawl.journal (run_id, revision, kind, name, detail, from_state, to_state, payload)
     select id, $6, $7, $8, $9, $10, $3, $11::jsonb from moved
   ), noted as (
     insert into pawl.operator_action (id, run_id, workflow, key, action, actor, reason, detail, outcome)
     select gen_random_uuid(), id, workflow, key, $8, $12, $13, $11::jsonb, 'done' from moved
   )
   select dispatch::float8 from moved`,
);

// Since the start of this transaction, which holds the run's row: by nobody else.
const REFUSED_EVENTS = statement(
  'events_refused_by_migration',
  `select (select count(*) from pawl.dead_letter where workflow = $1 and run_key = $2 and created_at >= now())
     + (select count(*) from pawl.loss where workflow = $1 and run_key = $2 and created_at >= now()) as count`,
);

/** A run to be migrated, as a list names it. */
export interface RunToMigrate {
  readonly id: string;
  readonly key: string;
}

/** One page of the runs of a version that have not ended for good, behind the one of this id. */
export async function runsToMigrate(
  tx: Transaction,
  { workflow, from, after, limit }: { workflow: string; from: number; after: string; limit: number },
): Promise<RunToMigrate[]> {
  return tx.query(RUNS_TO_MIGRATE, [workflow, from, UNFINISHED, after, limit]);
}

/** The steps of a version that have a compensation, by what is kept of it: its class need not be there. */
export async function compensableSteps(
  tx: Transaction,
  workflow: string,
  version: number,
): Promise<Set<string>> {
  const [row] = await tx.query<{ graph: KeptGraph }>(KEPT_GRAPH, [workflow, version]);
  const { steps = [] } = (row?.graph ?? {}) as { steps?: { name: string; compensation?: string }[] };
  return new Set(steps.filter(({ compensation }) => compensation !== undefined).map(({ name }) => name));
}

/** What is known of a run whose row this transaction has locked. */
export async function migrationFacts(
  tx: Transaction,
  runId: string,
): Promise<{ records: readonly StepRecord[]; held: boolean }> {
  const [row] = await tx.query<{ steps: readonly StepRow[]; held: boolean }>(MIGRATION_FACTS, [runId]);
  return { records: toStepRecords(row?.steps ?? []), held: row?.held ?? true };
}

/** Writes a run of the new version, its journal entry and who has done it; the row is locked. Answers the number that names its hint. */
export async function writeMigrated(
  tx: Transaction,
  { run, entry, actor, reason }: { run: Run; entry: JournalEntry; actor: string; reason: string },
): Promise<number> {
  const [row] = await tx.query<{ dispatch: number }>(WRITE_MIGRATED, [
    run.id,
    run.version,
    run.state,
    run.status,
    JSON.stringify(run.data),
    run.revision,
    entry.kind,
    entry.name,
    entry.detail,
    entry.fromState,
    JSON.stringify(entry.payload),
    actor,
    reason,
  ]);
  return row?.dispatch ?? 0;
}

/** How many events this transaction has refused for good. */
export async function refusedEvents(tx: Transaction, { workflow, key }: Run): Promise<number> {
  const [row] = await tx.query<{ count: string }>(REFUSED_EVENTS, [workflow, key]);
  return Number(row?.count ?? 0);
}
