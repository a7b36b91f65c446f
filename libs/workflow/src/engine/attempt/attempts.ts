import { CommitUnknownError, crashPoint, isTrouble, type Transactions } from '@pawl/core';
import { type NextMove, nextMove } from '../../machine/steps/next-move.js';
import type { Undoing } from '../../machine/steps/undo.js';
import type { StepDefinition } from '../../model/definition.js';
import type { StepRecord } from '../../model/step-record.js';
import type { AttemptAt } from '../../store/step-attempts.js';
import { recordDelay } from '../../store/step-delay.js';
import { settleStepLoss } from '../../store/step-losses.js';
import type { Activated } from '../activate/activated.js';
import { attemptAt, attemptedStep, attemptedUndo, finishedStep } from './attempt.js';
import { groupOf } from '../activate/claim-view.js';
import { closingAlone } from '../activate/closing.js';
import type { Compensation } from './compensation.js';
import type { ExternalStep } from './external-step.js';
import { type Failing, type Failures, failingStep } from './failures.js';
import type { FanOut } from '../fan-out/fan-out.js';
import type { FanOutUndo } from '../fan-out/fan-out-undo.js';
import type { Inquiry } from './inquiry.js';
import type { StepCloser } from './step-closer.js';
import { hasIdled } from './step-idled.js';
import { Refusal, type StepsClosed } from './step-outcome.js';
import type { TransactionalSteps } from './transactional-steps.js';

/** A piece of work of a run, and how long until it may be done. Records are as of now. */
export type DueWork = { readonly name: string; readonly waitMs: number } & (
  | {
      readonly kind: 'step';
      readonly step: StepDefinition;
      readonly record: StepRecord | undefined;
      readonly move: NextMove;
    }
  | { readonly kind: 'undo'; readonly undoing: Undoing }
);

/** `done`: it is in the claim. `again`: the run is to be read again. `ended`: it is not at work any more. */
export type Tried = 'done' | 'again' | 'ended';

export interface AttemptsParts {
  readonly transactions: Transactions;
  readonly transactional: TransactionalSteps;
  readonly external: ExternalStep;
  readonly compensation: Compensation;
  readonly fanOut: FanOut;
  readonly fanOutUndo: FanOutUndo;
  readonly inquiry: Inquiry;
  readonly failures: Failures;
  readonly closer: StepCloser;
}

/** Makes the next move of a piece of work, and records what came of it, good or bad. */
export class Attempts {
  constructor(private readonly parts: AttemptsParts) {}

  /** @throws CommitUnknownError, and trouble that is not the work's fault */
  async make(activated: Activated, work: DueWork): Promise<Tried> {
    return work.kind === 'undo' ? this.undo(activated, work.undoing) : this.step(activated, work);
  }

  private async step(
    activated: Activated,
    { step, record, move }: Extract<DueWork, { kind: 'step' }>,
  ): Promise<Tried> {
    const at = attemptAt(activated, attemptedStep(activated, step));
    const failing = failingStep(activated.definition, step, record, at);
    if (move === 'delay') return this.delay(at, step);
    if (step.forEach) return this.fanOut(activated, step, failing, move);
    if (move === 'give-up') return this.parts.failures.giveUp(activated, failing);
    if (move === 'lose') return this.lose(activated, failing);
    if (move === 'confirm' && record) return this.confirm(activated, step, failing, record);
    return this.attemptStep(activated, step, failing);
  }

  private async attemptStep(activated: Activated, step: StepDefinition, failing: Failing): Promise<Tried> {
    const group = groupOf(activated.definition, activated.claim, step, activated.oneByOne);
    return this.attempt(activated, failing, group.length, async () =>
      step.effect === 'external'
        ? this.parts.external.run(activated, step, failing.at)
        : this.parts.transactional.run(activated, group),
    );
  }

  /** The step as a whole has no effect of its own: what is in doubt, or may be lost, is known of each item. */
  private async fanOut(
    activated: Activated,
    step: StepDefinition,
    { at, retry, deadlineMs, record, consequence }: Failing,
    move: NextMove,
  ): Promise<Tried> {
    const ofAll = { ...at, effect: 'transactional' } as const;
    const failing = { at: ofAll, retry, deadlineMs, record, consequence };
    if (move === 'give-up') return this.parts.failures.giveUp(activated, failing);
    return this.attempt(activated, failing, 1, async () => this.parts.fanOut.run(activated, step, at));
  }

  /** Its delay is recorded, with the run under this claim: the run is read again, and waits. */
  private async delay(at: AttemptAt, { delayMs = 0, deadlineMs }: StepDefinition): Promise<Tried> {
    await this.parts.transactions.run((tx) => recordDelay(tx, at, { delayMs, deadlineMs }));
    crashPoint('step.after-delay');
    return 'again';
  }

  /** Nobody knows what came of an attempt that is made at most once: the run goes on, and its row stays in the loss ledger. */
  private async lose(activated: Activated, failing: Failing): Promise<Tried> {
    const { at, record } = failing;
    return this.attempt(activated, failing, 1, async () => {
      const finished = finishedStep(activated, at, { attempts: record?.attempts ?? 1, output: null });
      return closingAlone(activated, (begin) =>
        this.parts.transactions.run(async (tx) => {
          await begin();
          const lost = [{ ...finished, status: 'lost' as const }];
          const closed = await this.parts.closer.close(tx, activated, { finished: lost, messages: [] });
          await settleStepLoss(tx, at);
          return closed;
        }),
      );
    });
  }

  /** Asks first; where nobody can say, and it was declared to be fine, the attempt is made again under its key. */
  private async confirm(
    activated: Activated,
    step: StepDefinition,
    failing: Failing,
    record: StepRecord,
  ): Promise<Tried> {
    const answer = await this.parts.inquiry.ask(activated, {
      step,
      record,
      at: failing.at,
      close: (tx, work) => this.parts.closer.close(tx, activated, work),
    });
    if (answer !== 'unknown') return answer;
    return nextMove(step, { ...record, inDoubt: false }) === 'give-up'
      ? this.parts.failures.giveUp(activated, failing)
      : this.attemptStep(activated, step, failing);
  }

  private async undo(activated: Activated, undoing: Undoing): Promise<Tried> {
    const { step, record, undo } = undoing;
    const { compensation } = step;
    if (compensation === undefined) return 'again';
    const overItems = record.itemsTotal !== null;
    if (!overItems && undo === undefined && record.inDoubt && record.status !== 'lost' && step.confirmation) {
      const answer = await this.parts.inquiry.ask(activated, {
        step,
        record,
        at: attemptAt(activated, attemptedStep(activated, step)),
      });
      if (answer !== 'unknown') return answer;
    }
    const at = attemptAt(activated, attemptedUndo(undoing));
    const attention = `compensation ${compensation.name} failed`;
    const consequence = () => ({ runStatus: null, attention });
    const failing = { at, retry: compensation.retry, deadlineMs: undefined, record: undo, consequence };
    if ((undo?.attempts ?? 0) >= compensation.retry.attemptsMax)
      return this.parts.failures.giveUp(activated, failing);
    return this.attempt(activated, failing, 1, async () =>
      overItems
        ? this.parts.fanOutUndo.run(activated, { undoing, definition: compensation, head: at })
        : this.parts.compensation.run(activated, undoing, compensation, at),
    );
  }

  private async attempt(
    activated: Activated,
    failing: Failing,
    together: number,
    work: () => Promise<StepsClosed>,
  ): Promise<Tried> {
    try {
      const { released } = await work();
      return released ? 'ended' : 'done';
    } catch (error) {
      if (error instanceof Refusal) return 'again';
      if (error instanceof CommitUnknownError || (isTrouble(error) && !hasIdled(error))) throw error;
      // What the step returned or sent can not be written, or a constraint says no at COMMIT: the attempt has failed as if it had thrown.
      if (together === 1) return this.parts.failures.fail(activated, failing, error);
      // The group spends no attempt: its steps run again, one transaction each.
      activated.oneByOne = true;
      return 'done';
    }
  }
}
