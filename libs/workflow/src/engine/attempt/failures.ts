import { type Transaction, type Transactions } from '@pawl/core';
import { recordedError } from '@pawl/messaging';
import { nextAttempt } from '../../machine/steps/next-attempt.js';
import { isDeclaredRefusal } from '../../machine/steps/no-effect-error.js';
import { isPastNoReturn } from '../../machine/steps/no-return.js';
import { StepDeadlineError } from '../../machine/steps/step-deadline-error.js';
import { afterGivingUp } from '../../machine/steps/step-failure.js';
import type { Definition, StepDefinition } from '../../model/definition.js';
import type { RetryPolicy } from '../../model/retry-policy.js';
import { type StepRecord, stepRecord } from '../../model/step-record.js';
import type { Claim } from '../../store/claims.js';
import { recordEndedCall } from '../../store/ended-calls.js';
import { lockHeld, setNoReturn } from '../../store/held-run.js';
import { type AttemptAt, type Failure, recordFailure } from '../../store/step-attempts.js';
import { retractStepLoss } from '../../store/step-losses.js';
import type { Activated } from '../activate/activated.js';
import type { StepCloser } from './step-closer.js';
import { hasEndedCall, reasonOf } from './step-idled.js';
import type { Tried } from './attempts.js';

/** An attempt that may fail, and what would follow. */
export interface Failing {
  readonly at: AttemptAt;
  readonly retry: RetryPolicy;
  readonly deadlineMs: number | undefined;
  /** As it was before the attempt. */
  readonly record: StepRecord | undefined;
  /** Of a step; absent for a compensation. */
  readonly step?: StepDefinition;
  /** With the last attempt. `claim` is what is known of the run now, under its lock. */
  readonly consequence: (claim: Claim, inDoubt: boolean) => Pick<Failure, 'runStatus' | 'attention'>;
  /** With the last attempt, in the same transaction. */
  readonly givenUp?: (tx: Transaction) => Promise<void>;
}

/** How an attempt has ended, or that none is made any more. */
interface Ending extends Pick<Failure, 'attempts' | 'inDoubt' | 'ended'> {
  readonly error: unknown;
  /** Until the next attempt. Milliseconds. */
  readonly delay: number | 'give-up';
}

export interface FailuresParts {
  readonly transactions: Transactions;
  readonly closer: StepCloser;
  readonly isStopping: () => boolean;
  readonly random: () => number;
}

/** Records what became of attempts that have failed, and with the last one what becomes of the run. */
export class Failures {
  constructor(private readonly parts: FailuresParts) {}

  /** An attempt has failed. */
  async fail(activated: Activated, failing: Failing, thrown: unknown): Promise<Tried> {
    const { held } = activated;
    const stopping = this.parts.isStopping();
    if (held.signal.aborted && !stopping) return 'again';
    const { at, retry, record } = failing;
    const spentBefore = record?.attempts ?? 0;
    // Handed back in good order: the attempt is not spent.
    const givenBack = stopping && held.signal.aborted;
    const error = reasonOf(thrown, at.name);
    const ended = !givenBack && hasEndedCall(thrown);
    const attempts = givenBack ? spentBefore : Math.min(spentBefore + 1, retry.attemptsMax);
    const delay = givenBack ? 0 : nextAttempt(retry, attempts, error, this.parts.random);
    const inDoubt = at.effect === 'external' && ((record?.inDoubt ?? false) || !isDeclaredRefusal(error));
    return this.record(activated, failing, { error, attempts, delay, inDoubt, ended });
  }

  /** No further attempt is made: what is known of the last one stays as it is. */
  async giveUp(activated: Activated, failing: Failing): Promise<Tried> {
    const { attempts = 0, inDoubt = false } = failing.record ?? {};
    const error = exhausted(failing);
    return this.end(activated, failing, { error, attempts, delay: 'give-up', inDoubt, ended: false });
  }

  /** Where the doubt is to be settled first, by asking or by a loss, the attempt does not end the step, even if it is the last one. */
  private async record(activated: Activated, failing: Failing, ending: Ending): Promise<Tried> {
    const { step } = failing;
    const settledFirst = step?.confirmation !== undefined || step?.guarantee === 'at-most-once';
    if (!ending.inDoubt || !settledFirst || ending.delay !== 'give-up')
      return this.end(activated, failing, ending);
    // Of no further attempts: whatever is found out, there is none.
    return this.end(activated, { ...failing, deadlineMs: 0 }, { ...ending, delay: 0 });
  }

  private async end(activated: Activated, failing: Failing, ending: Ending): Promise<Tried> {
    const runStatus = await this.parts.transactions.run((tx) => this.write(tx, activated, failing, ending));
    return runStatus === 'failed' ? 'ended' : 'again';
  }

  private async write(
    tx: Transaction,
    { definition, held }: Activated,
    failing: Failing,
    { error, delay, ...ending }: Ending,
  ): Promise<Failure['runStatus']> {
    const { step, deadlineMs } = failing;
    // Raised where the run was taken over meanwhile: it is still this process that says what came of the attempt.
    const at = { ...failing.at, fencingToken: held.fencingToken };
    const { at: _, ...facts } = recordedError(error);
    const { inDoubt, ended } = ending;
    const takenBack = step?.noReturn === true && !inDoubt;
    // What others of the run have begun or done meanwhile is known behind its lock, and nothing is begun while it is held.
    const claim =
      delay === 'give-up' || takenBack ? await lockHeld(tx, held.runId, at.fencingToken) : undefined;
    const end = delay === 'give-up' && claim ? failing.consequence(claim, inDoubt) : GOES_ON;
    const recorded = await recordFailure(tx, at, {
      ...ending,
      retryInMs: delay === 'give-up' ? null : delay,
      deadlineMs,
      error: facts,
      runStatus: end.runStatus,
      attention: end.attention && `${end.attention}: ${facts.message}`.slice(0, ATTENTION_LENGTH_MAX),
    });
    const known = recorded || (ended && (await recordEndedCall(tx, at, { inDoubt, error: facts })));
    if (known && !inDoubt && step?.guarantee === 'at-most-once') await retractStepLoss(tx, at);
    if (!recorded) return null;
    if (delay === 'give-up') await failing.givenUp?.(tx);
    if (takenBack && claim)
      await setNoReturn(tx, held.runId, isPastNoReturn(definition, recordsWith(claim, step, inDoubt)));
    // What waits with a run that has failed is decided again: it may be late now.
    if (end.runStatus !== null) await this.parts.closer.decideParked(tx, held.runId);
    return end.runStatus;
  }
}

const GOES_ON = { runStatus: null, attention: null } as const;
const ATTENTION_LENGTH_MAX = 500;

/** An attempt at a step that may fail. */
export function failingStep(
  definition: Definition,
  step: StepDefinition,
  record: StepRecord | undefined,
  at: AttemptAt,
): Failing {
  const consequence = (claim: Claim, inDoubt: boolean) => {
    const records = recordsWith(claim, step, inDoubt);
    const run = { ...claim.run, noReturn: isPastNoReturn(definition, records) };
    const runStatus = afterGivingUp(definition, run, step, records);
    return { runStatus, attention: `step ${step.name} failed` };
  };
  return { at, step, retry: step.retry, deadlineMs: step.deadlineMs, record, consequence };
}

/** The records of a run as they are once this step has failed. */
function recordsWith(claim: Claim, { name }: StepDefinition, inDoubt: boolean): StepRecord[] {
  const own = claim.steps.find((record) => record.name === name);
  const others = claim.steps.filter((record) => record !== own);
  return [...others, stepRecord({ ...own, name, status: 'failed', inDoubt })];
}

function exhausted({ at: { name }, retry, record }: Failing): Error {
  const { attempts = 0 } = record ?? {};
  return attempts < retry.attemptsMax
    ? new StepDeadlineError(name, attempts)
    : new Error(`All ${retry.attemptsMax} attempts at ${name} are spent; the last ended without an answer.`);
}
