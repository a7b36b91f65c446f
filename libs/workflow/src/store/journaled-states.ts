import { statement } from '@pawl/core';
import type { EntityManager } from 'typeorm';

const HAS_BEEN_IN = statement(
  'has_been_in',
  `select exists (select 1 from pawl.journal where run_id = $1 and to_state = any ($2::text[])) as found`,
);

/** Whether a run was ever in one of these states. */
export async function hasBeenIn(
  manager: EntityManager,
  runId: string,
  states: readonly string[],
): Promise<boolean> {
  const [row] = (await manager.query(HAS_BEEN_IN.text, [runId, states])) as { found: boolean }[];
  return row?.found === true;
}
