import { crashPoint, type Transaction, TransactionEndedError } from '@pawl/core';
import type { Outbox, OutgoingMessage } from '@pawl/messaging';
import { isHeldUp } from '../../machine/position.js';
import { type AfterStep, afterStep } from '../../machine/steps/steps.js';
import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { closeSteps, type FinishedStep } from '../../store/close-steps.js';
import { closeUndo } from '../../store/close-undo.js';
import { lockRun } from '../../store/lock-runs.js';
import type { Activated } from '../activate/activated.js';
import { isIdle, withClosed } from '../activate/claim-view.js';
import type { RunAdvancer } from '../receive/run-advancer.js';
import { startTimers } from '../receive/start-timers.js';
import { Refusal, type StepsClosed } from './step-outcome.js';

/** What one transaction's steps have done, before it is written. */
export interface Work {
  readonly finished: readonly FinishedStep[];
  readonly messages: readonly OutgoingMessage[];
}

/**
 * The end of a step's transaction: records and transition in the closing statement, which takes the run's row; under that lock the messages, the
 * timers, and the events that were parked. After it nothing but COMMIT. Of one run it is called by one at a time.
 */
export class StepCloser {
  constructor(
    private readonly advancer: RunAdvancer,
    private readonly outbox: Outbox,
  ) {}

  /** @throws Refusal, TransactionEndedError: nothing of it may be committed */
  async close(
    tx: Transaction,
    { definition, claim, held, atWork }: Activated,
    work: Work,
  ): Promise<StepsClosed> {
    const before = asRunning(claim.run);
    const last = work.finished.at(-1)?.name ?? '';
    const { steps } = withClosed(claim, { run: before, finished: work.finished });
    // An event has moved the run since, and this process knows it already.
    if (
      before.status !== 'running' ||
      definition.steps.find(({ name }) => name === last)?.in !== before.state
    )
      throw new Refusal();
    const after = behindNoReturn(definition, work, afterStep(definition, before, last, steps));
    const closed = await closeSteps(tx, {
      before,
      after: after.run,
      fencingToken: held.fencingToken,
      steps: work.finished,
      journal: after.journal,
      release: isIdle(after.run) && atWork.size <= 1,
    });
    if (closed.kind === 'transaction-ended') throw new TransactionEndedError();
    if (closed.kind === 'refused') throw new Refusal();
    const noted = after.moved ? await startTimers(tx, definition, before, after.run) : 0;
    const run = { ...after.run, revision: closed.revision + noted, parkedCount: closed.parkedCount };
    // Behind the run's lock, so that a run's messages stand in the outbox in the order of its commits (D17).
    await this.outbox.append(tx, work.messages);
    if (closed.parkedCount > 0) await this.decideParked(tx, run.id);
    crashPoint('step.before-commit');
    return { run, finished: work.finished, parkedCount: closed.parkedCount, released: closed.released };
  }

  /**
   * The end of a compensation's transaction. It moves nothing: once all is undone the run gets its status in a transaction of its own.
   * @throws Refusal, TransactionEndedError: nothing of it may be committed
   */
  async closeUndo(tx: Transaction, { claim, held }: Activated, work: Work): Promise<StepsClosed> {
    const closed = await closeUndo(tx, claim.run, held.fencingToken, work.finished);
    if (closed.kind === 'transaction-ended') throw new TransactionEndedError();
    if (closed.kind === 'refused') throw new Refusal();
    await this.outbox.append(tx, work.messages);
    crashPoint('undo.before-commit');
    const run = { ...claim.run, revision: closed.revision };
    return { run, finished: work.finished, parkedCount: 0, released: false };
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

/** One that shares the transaction may be what can not be taken back, wherever it stands among them. */
function behindNoReturn({ steps }: Definition, { finished }: Work, after: AfterStep): AfterStep {
  const isFinal = finished.some(({ name }) => steps.some((step) => step.noReturn && step.name === name));
  return isFinal ? { ...after, run: { ...after.run, noReturn: true } } : after;
}

/** Paused, or failed of another step, since this one began: a call that has ended is closed all the same, and the run stays as it is. */
function asRunning(run: Run): Run {
  const held = isHeldUp(run) && run.undo === null;
  return held ? { ...run, status: 'running' } : run;
}
