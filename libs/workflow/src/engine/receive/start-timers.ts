import type { Transaction } from '@pawl/core';
import { timersAfter } from '../../machine/timers/timers.js';
import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { lockRun } from '../../store/lock-runs.js';
import { changeTimers, recordFailedTimer } from '../../store/timers.js';

/**
 * What a move that no event and no timer has made means for the timers of a run, whose row this transaction has locked and written. Answers how many
 * journal entries it has added: one for each timer of which the instant can not be told.
 */
export async function startTimers(
  tx: Transaction,
  definition: Definition,
  before: Run,
  after: Run,
): Promise<number> {
  if (definition.timeouts.length === 0) return 0;
  const data = await newestData(tx, definition, after);
  const { failed, ...timers } = timersAfter(definition, { ...before, data }, { ...after, data });
  await changeTimers(tx, after, timers);
  for (const one of failed) await recordFailedTimer(tx, after.id, one);
  return failed.length;
}

/** An event may have been folded since the run was claimed. */
async function newestData(tx: Transaction, definition: Definition, run: Run): Promise<unknown> {
  if (definition.timeouts.every(({ at }) => at === undefined)) return run.data;
  return (await lockRun(tx, run.id))?.run.data ?? run.data;
}
