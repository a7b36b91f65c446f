import { CommitUnknownError, crashPoint, isTrouble, type Transactions } from '@pawl/core';
import { recordedError } from '@pawl/messaging';
import { nextAttempt } from '../machine/next-attempt.js';
import type { NextMove } from '../machine/next-move.js';
import { isDeclaredRefusal } from '../machine/no-effect-error.js';
import { StepDeadlineError } from '../machine/step-deadline-error.js';
import { afterGivingUp } from '../machine/step-failure.js';
import type { Undoing } from '../machine/undo.js';
import type { StepDefinition } from '../model/definition.js';
import type { RetryPolicy } from '../model/retry-policy.js';
import { type StepRecord, stepRecord } from '../model/step-record.js';
import { type AttemptAt, type Failure, recordFailure } from '../store/step-attempts.js';
import { recordDelay } from '../store/step-delay.js';
import type { Activated } from './activated.js';
import { attemptAt, attemptedStep, attemptedUndo } from './attempt.js';
import { attemptsSpent, groupOf, recordOf } from './claim-view.js';
import type { Compensation } from './compensation.js';
import type { ExternalStep } from './external-step.js';
import type { StepCloser } from './step-closer.js';
import { hasIdled, reasonOf } from './step-idled.js';
import { Refusal, type StepsClosed } from './step-outcome.js';
import type { TransactionalSteps } from './transactional-steps.js';

/** A piece of work of a run, and how long until it may be done. */
export type DueWork = { readonly name: string; readonly waitMs: number } & (
  | { readonly kind: 'step'; readonly step: StepDefinition; readonly move: NextMove }
  | { readonly kind: 'undo'; readonly undoing: Undoing }
);

/** `done`: it is in the claim. `again`: the run is to be read again. `ended`: it is not at work any more. */
export type Tried = 'done' | 'again' | 'ended';

export interface AttemptsParts {
  readonly transactions: Transactions;
  readonly transactional: TransactionalSteps;
  readonly external: ExternalStep;
  readonly compensation: Compensation;
  readonly closer: StepCloser;
  readonly isStopping: () => boolean;
  readonly random: () => number;
}

/** What becomes of an attempt that has failed. */
interface Failing {
  readonly at: AttemptAt;
  readonly retry: RetryPolicy;
  readonly deadlineMs: number | undefined;
  readonly record: StepRecord | undefined;
  /** With the last attempt. */
  readonly consequence: (inDoubt: boolean) => Pick<Failure, 'runStatus' | 'attention'>;
}

/** How an attempt has ended, or that none is made any more. */
interface Ending extends Pick<Failure, 'attempts' | 'inDoubt' | 'ended'> {
  readonly error: unknown;
  /** Until the next attempt. Milliseconds. */
  readonly delay: number | 'give-up';
}

/** Makes the next move of a piece of work, and records what came of it, good or bad. */
export class Attempts {
  constructor(private readonly parts: AttemptsParts) {}

  /** @throws CommitUnknownError, and trouble that is not the work's fault */
  async make(activated: Activated, work: DueWork): Promise<Tried> {
    return work.kind === 'undo'
      ? this.undo(activated, work.undoing)
      : this.step(activated, work.step, work.move);
  }

  private async step(activated: Activated, step: StepDefinition, move: NextMove): Promise<Tried> {
    const at = attemptAt(activated, attemptedStep(activated, step));
    const failing = this.failingStep(activated, step, at);
    if (move === 'delay') return this.delay(at, step);
    if (move === 'give-up') return this.giveUp(activated, failing, exhausted(step, failing.record));
    const group = groupOf(activated.definition, activated.claim, step, activated.oneByOne);
    return this.attempt(activated, failing, group.length, async () =>
      step.effect === 'external'
        ? this.parts.external.run(activated, step, at)
        : this.parts.transactional.run(activated, group),
    );
  }

  /** Its delay is recorded, with the run under this claim: the run is read again, and waits. */
  private async delay(at: AttemptAt, { delayMs = 0, deadlineMs }: StepDefinition): Promise<Tried> {
    await this.parts.transactions.run((tx) => recordDelay(tx, at, { delayMs, deadlineMs }));
    crashPoint('step.after-delay');
    return 'again';
  }

  private async undo(activated: Activated, undoing: Undoing): Promise<Tried> {
    const { step, undo } = undoing;
    const { compensation } = step;
    if (compensation === undefined) return 'again';
    const at = attemptAt(activated, attemptedUndo(undoing));
    const consequence = () => ({
      runStatus: null,
      attention: `compensation ${compensation.name} failed`,
    });
    const failing = { at, retry: compensation.retry, deadlineMs: undefined, record: undo, consequence };
    if ((undo?.attempts ?? 0) >= compensation.retry.attemptsMax)
      return this.giveUp(activated, failing, exhausted(compensation, undo));
    return this.attempt(activated, failing, 1, async () =>
      this.parts.compensation.run(activated, undoing, compensation, at),
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
      if (together === 1) return this.fail(activated, failing, reasonOf(error, failing.at.name));
      // The group spends no attempt: its steps run again, one transaction each.
      activated.oneByOne = true;
      return 'done';
    }
  }

  private failingStep(activated: Activated, step: StepDefinition, at: AttemptAt): Failing {
    const { definition, claim } = activated;
    const record = recordOf(claim, step);
    const consequence = (inDoubt: boolean) => {
      const others = activated.claim.steps.filter(({ name }) => name !== step.name);
      const records = [...others, stepRecord({ ...record, name: step.name, status: 'failed', inDoubt })];
      const run = { ...claim.run, noReturn: claim.run.noReturn || (step.noReturn && inDoubt) };
      const runStatus = afterGivingUp(definition, run, step, records);
      return { runStatus, attention: `step ${step.name} failed` };
    };
    return { at, retry: step.retry, deadlineMs: step.deadlineMs, record, consequence };
  }

  /** An attempt has failed. */
  private async fail(activated: Activated, failing: Failing, error: unknown): Promise<Tried> {
    const { held, claim } = activated;
    const stopping = this.parts.isStopping();
    if (held.signal.aborted && !stopping) return 'again';
    const { at, retry, record } = failing;
    const spentBefore = attemptsSpent(claim, at);
    // Handed back in good order: the attempt is not spent.
    const givenBack = stopping && held.signal.aborted;
    const attempts = givenBack ? spentBefore : Math.min(spentBefore + 1, retry.attemptsMax);
    const delay = givenBack ? 0 : nextAttempt(retry, attempts, error, this.parts.random);
    const inDoubt = at.effect === 'external' && ((record?.inDoubt ?? false) || !isDeclaredRefusal(error));
    return this.record(activated, failing, { error, attempts, delay, inDoubt, ended: !givenBack });
  }

  /** No further attempt is made: what is known of the last one stays as it is. */
  private async giveUp(activated: Activated, failing: Failing, error: Error): Promise<Tried> {
    const { attempts = 0, inDoubt = false } = failing.record ?? {};
    return this.record(activated, failing, { error, attempts, delay: 'give-up', inDoubt, ended: false });
  }

  private async record(
    { claim }: Activated,
    { at, deadlineMs, consequence }: Failing,
    { error, delay, ...ending }: Ending,
  ): Promise<Tried> {
    const { inDoubt } = ending;
    const { at: _, ...facts } = recordedError(error);
    const end = delay === 'give-up' ? consequence(inDoubt) : { runStatus: null, attention: null };
    const recorded = await this.parts.transactions.run(async (tx) => {
      const done = await recordFailure(tx, at, {
        ...ending,
        retryInMs: delay === 'give-up' ? null : delay,
        deadlineMs,
        error: facts,
        runStatus: end.runStatus,
        attention: end.attention && `${end.attention}: ${facts.message}`.slice(0, ATTENTION_LENGTH_MAX),
      });
      // What waits with a run that has failed is decided again: it may be late now.
      if (done && end.runStatus !== null) await this.parts.closer.decideParked(tx, claim.run.id);
      return done;
    });
    return recorded && end.runStatus === 'failed' ? 'ended' : 'again';
  }
}

const ATTENTION_LENGTH_MAX = 500;

function exhausted(
  { name, retry }: Pick<StepDefinition, 'name' | 'retry'>,
  record: StepRecord | undefined,
): Error {
  const { attempts = 0 } = record ?? {};
  return attempts < retry.attemptsMax
    ? new StepDeadlineError(name, attempts)
    : new Error(`All ${retry.attemptsMax} attempts at ${name} are spent; the last ended without an answer.`);
}
