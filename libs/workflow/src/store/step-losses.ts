import { appendLosses, retractLosses, settleLosses } from '@pawl/messaging';
import type { Transaction } from '@pawl/core';
import { v5 as uuidv5 } from 'uuid';
import type { AttemptAt } from './step-attempts.js';

/** What names the loss that an attempt would be. */
type Named = Pick<AttemptAt, 'name' | 'item' | 'idempotencyKey'>;

/**
 * Writes, with the intent of an attempt that is made at most once, that it may be a loss: the row is there before the call is, and is taken back once
 * it is known what came of it. So a crash at any point leaves the row, and never a second call.
 * @param underWayMs how long the call may be at work
 */
export async function appendStepLoss(tx: Transaction, at: AttemptAt, underWayMs: number): Promise<void> {
  const { run, idempotencyKey } = at;
  const id = stepLossId(at);
  // Of an attempt before this one, which is known to have had no effect.
  await retractLosses(tx, [id]);
  await appendLosses(tx, [
    {
      id,
      origin: 'step',
      workflow: run.workflow,
      runKey: run.key,
      type: 'step',
      subject: subjectOf(at),
      payload: { runId: run.id, idempotencyKey },
      reason: 'unknown',
      underWayMs,
    },
  ]);
}

/** It is known what came of the attempt. */
export async function retractStepLoss(tx: Transaction, at: Named): Promise<void> {
  await retractLosses(tx, [stepLossId(at)]);
}

/** The attempt is not at work any more, and nobody knows what came of it. */
export async function settleStepLoss(tx: Transaction, at: Named): Promise<void> {
  await settleLosses(tx, [stepLossId(at)]);
}

/** Follows from the key of the step, so that whoever redrives or skips it finds the row. */
function stepLossId({ idempotencyKey }: Named): string {
  return uuidv5('loss', idempotencyKey);
}

/** `mail`, or for one item `mail/3`. */
function subjectOf({ name, item }: Named): string {
  return item === -1 ? name : `${name}/${item}`;
}
