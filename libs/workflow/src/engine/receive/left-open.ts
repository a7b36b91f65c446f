import type { Transaction } from '@pawl/core';
import { withAbandoned } from '../../machine/steps/steps.js';
import type { Change } from '../../model/change.js';
import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { markAbandoned } from '../../store/abandoned-steps.js';

/**
 * What an event or a timer has moved a locked run out of may have left steps open whose effects can be undone: they are marked in the same
 * transaction, and the run has work until they are undone, even in a final state. Costs nothing where no step has a compensation.
 */
export async function undoLeftOpen(
  tx: Transaction,
  definition: Definition,
  before: Run,
  change: Change,
): Promise<Change> {
  const { run } = change;
  // Where all is undone, that is.
  if (!change.moved || before.state === null || run.undo !== null) return change;
  const left = definition.steps.filter((step) => step.compensation && step.in !== run.state);
  if (left.length === 0) return change;
  const names = left.map(({ name }) => name);
  const records = await markAbandoned(tx, run, names);
  const after = asPaused(before, withAbandoned(definition, run, records));
  if (after === run) return change;
  const receipts = change.receipts.map((receipt) =>
    receipt.status === run.status ? { ...receipt, status: after.status } : receipt,
  );
  return { ...change, run: after, receipts };
}

/** A paused run undoes nothing before it is resumed. */
function asPaused(before: Run, after: Run): Run {
  return before.status === 'paused' && after.status === 'compensating'
    ? { ...after, status: 'paused' }
    : after;
}
