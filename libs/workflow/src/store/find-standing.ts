import { statement } from '@pawl/core';
import type { EntityManager } from 'typeorm';
import type { Run } from '../model/run.js';
import type { RunAddress } from './lock-runs.js';
import { RUN_COLUMNS, type RunRow, toRun } from './run-row.js';

/** One statement, so that state and outputs are of one moment: a run that has moved on has the output that moved it. */
const FIND_STANDING = statement(
  'find_standing',
  `select ${RUN_COLUMNS}, coalesce((
    select jsonb_object_agg(o.name, o.output) filter (where o.is_settled or o.items_total is not null)
    from (
      select distinct on (s.name) s.name, s.items_total, settled.it as is_settled,
        case when settled.it then s.output else jsonb_build_object('total', s.items_total,
          'done', (select coalesce(sum(upper(i) - lower(i)), 0) from unnest(s.items_done) i),
          'failed', (select coalesce(sum(upper(i) - lower(i)), 0) from unnest(s.items_failed) i)) end as output
      from pawl.step s, lateral (select s.status in ('done', 'skipped', 'lost') as it) settled
      where s.run_id = r.id and s.round = r.round and s.item = -1 and s.kind = 'step'
      order by s.name, s.generation desc
    ) o), '{}') as outputs
  from pawl.run r where r.workflow = $1 and r.key = $2`,
);

/** A run, and what its steps have returned by name; of a step over items that is not done, how far it has come. */
export interface Standing {
  readonly run: Run;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** Reads a run with its outputs, without locking it. */
export async function findStanding(
  manager: EntityManager,
  { workflow, key }: RunAddress,
): Promise<Standing | undefined> {
  const rows = (await manager.query(FIND_STANDING.text, [workflow, key])) as (RunRow &
    Pick<Standing, 'outputs'>)[];
  const [row] = rows;
  return row && { run: toRun(row), outputs: row.outputs };
}
