import { crashPoint, type Transaction, TransactionEndedError } from '@pawl/core';
import type { Outbox, OutgoingMessage } from '@pawl/messaging';
import { v7 as uuidv7 } from 'uuid';
import { afterStep } from '../machine/steps.js';
import type { Definition, StepDefinition } from '../model/definition.js';
import type { Claim } from '../store/claims.js';
import { closeSteps, type FinishedStep } from '../store/close-steps.js';
import { lockRun } from '../store/lock-runs.js';
import { restartTimers } from '../store/timers.js';
import { doneNames, isIdle } from './claim-view.js';
import type { Held } from './lease-keeper.js';
import type { RunAdvancer } from './run-advancer.js';
import { idempotencyKeyOf } from './step-call.js';
import { Refusal, type StepsClosed } from './step-outcome.js';

/** A claimed run with what is known of it, as the parts of an activation hand it around. */
export interface Activated {
  readonly definition: Definition;
  readonly claim: Claim;
  readonly held: Held;
}

/** What one transaction's steps have done, before it is written. */
export interface Work {
  readonly finished: readonly FinishedStep[];
  readonly messages: readonly OutgoingMessage[];
}

/**
 * The end of a step's transaction: records and transition in the closing statement, which takes the run's row; under that lock the messages, the
 * timers, and the events that were parked. After it nothing but COMMIT.
 */
export class StepCloser {
  constructor(
    private readonly advancer: RunAdvancer,
    private readonly outbox: Outbox,
  ) {}

  /** @throws Refusal, TransactionEndedError: nothing of it may be committed */
  async close(tx: Transaction, { definition, claim, held }: Activated, work: Work): Promise<StepsClosed> {
    const names = work.finished.map(({ name }) => name);
    const last = names.at(-1) ?? '';
    const after = afterStep(definition, claim.run, last, [...doneNames(claim), ...names.slice(0, -1)]);
    const closed = await closeSteps(tx, {
      before: claim.run,
      after: after.run,
      fencingToken: held.fencingToken,
      steps: work.finished,
      journal: after.journal,
      release: isIdle(definition, after.run),
    });
    if (closed.kind === 'transaction-ended') throw new TransactionEndedError();
    if (closed.kind === 'refused') throw new Refusal();
    const run = { ...after.run, revision: closed.revision, parkedCount: closed.parkedCount };
    if (after.moved) await restartTimers(tx, run, definition);
    // Behind the run's lock, so that a run's messages stand in the outbox in the order of its commits (D17).
    await this.outbox.append(tx, work.messages);
    if (closed.parkedCount > 0) await this.decideParked(tx, run.id);
    crashPoint('step.before-commit');
    return { run, finished: work.finished, parkedCount: closed.parkedCount, released: closed.released };
  }

  /**
   * Closes D25: an event that was parked while the step ran is decided before anybody calls the run idle, or failed. The run is read again: another
   * event may have been folded since it was claimed, and what is decided now must not write over it.
   */
  async decideParked(tx: Transaction, runId: string): Promise<void> {
    const locked = await lockRun(tx, runId);
    if (locked) await this.advancer.advance(tx, { ...locked, timerDue: false, undecided: false }, []);
  }
}

/** The record of an attempt that has ended well. */
export function finishedStep(
  { claim }: Activated,
  step: StepDefinition,
  { attempts, output, attemptId = uuidv7() }: { attempts: number; output: unknown; attemptId?: string },
): FinishedStep {
  const idempotencyKey = idempotencyKeyOf(claim.run, step);
  return { name: step.name, effect: step.effect, attempts, attemptId, idempotencyKey, output };
}
