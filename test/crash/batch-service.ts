// The process that the crash test of items kills: an engine for batches on the database that it is told.
import { EffectLedger, startTestEngine } from '@pawl/testing';
import { PermanentError } from '@pawl/workflow';
import { batchWorkflow } from '../engine/items-workflow.js';

/** Batches that are booked in transactions, or outside, where each call is noted under its key. */
export function batchWorkflows(ledger: EffectLedger) {
  const Writes = batchWorkflow({ name: 'writes', concurrency: 2 });
  const Calls = batchWorkflow({
    name: 'calls',
    effect: 'external',
    concurrency: 2,
    timeout: 500,
    hooks: {
      book: async ({ index, item, idempotencyKey }) => {
        if (item === 'bad') throw new PermanentError('no such item');
        ledger.note(`${index} ${idempotencyKey}`);
        return undefined;
      },
    },
  });
  return { Writes, Calls };
}

/** A worker for batches. */
export async function openBatches(databaseUrl: string, ledger: EffectLedger, start = true) {
  const { Writes, Calls } = batchWorkflows(ledger);
  const options = { leaseMs: 1_500, rescueEveryMs: 50 };
  const workflows = [new Writes(), new Calls()];
  const engine = await startTestEngine({ workflows, databaseUrl, start, clock: false, options });
  return { engine, Writes, Calls };
}

const { BATCH_DATABASE, BATCH_EFFECTS } = process.env;
if (BATCH_DATABASE !== undefined && BATCH_EFFECTS !== undefined) {
  process.once('disconnect', () => process.exit());
  await openBatches(BATCH_DATABASE, EffectLedger.open(BATCH_EFFECTS));
  process.send?.({ ready: true });
}
