import { statement } from '@pawl/core';
import type { EntityManager } from 'typeorm';
import type { Run } from '../model/run.js';
import type { RunAddress } from './lock-runs.js';
import { RUN_COLUMNS, type RunRow, toRun } from './run-row.js';

const FIND_RUN = statement(
  'find_run',
  `select ${RUN_COLUMNS} from pawl.run r where r.workflow = $1 and r.key = $2`,
);

/** Reads a run without locking it. */
export async function findRun(
  manager: EntityManager,
  { workflow, key }: RunAddress,
): Promise<Run | undefined> {
  const [row] = (await manager.query(FIND_RUN.text, [workflow, key])) as RunRow[];
  return row && toRun(row);
}
