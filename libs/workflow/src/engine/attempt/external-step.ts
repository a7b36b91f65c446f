import { setTimeout as pause } from 'node:timers/promises';
import { crashPoint, isTrouble, Slots, type Transaction, type Transactions } from '@pawl/core';
import type { ExchangeClient } from '@pawl/messaging';
import { attemptMaxMs } from '../../machine/steps/next-move.js';
import type { StepDefinition } from '../../model/definition.js';
import {
  type AttemptAt,
  DOUBT_GRACE_MS,
  type IntentTerms,
  recordIntent,
  recordOutcome,
} from '../../store/step-attempts.js';
import { retractStepLoss } from '../../store/step-losses.js';
import type { Activated } from '../activate/activated.js';
import { finishedStep } from './attempt.js';
import { outputsOf } from '../activate/claim-view.js';
import { closingAlone } from '../activate/closing.js';
import { callStep, type StepCall, type StepResult } from './step-call.js';
import type { StepCloser, Work } from './step-closer.js';
import { Refusal, type StepsClosed } from './step-outcome.js';
import { StepRequests } from './step-requests.js';

/** How an external call is made, and how what it has achieved is written. */
export interface ExternalCall {
  readonly at: AttemptAt;
  readonly terms: IntentTerms;
  readonly call: Pick<StepCall, 'timeoutMs' | 'deadlineMs' | 'perform' | 'besides' | 'item'>;
  readonly close: (tx: Transaction, work: Work) => Promise<StepsClosed>;
}

/**
 * Runs a step whose effect is elsewhere. The intent is committed before the call, so a crash spends the attempt and nobody forgets that it may
 * have happened; the idempotency key is the same for every attempt. No transaction is open during the call.
 */
export class ExternalStep {
  private readonly forgetting = new Slots(FORGETTING_MAX);

  constructor(
    private readonly transactions: Transactions,
    private readonly closer: StepCloser,
    private readonly exchange: ExchangeClient,
  ) {}

  /**
   * @throws StepFailedError: the attempt has failed or is in doubt
   * @throws Refusal: the run is no longer this worker's, or has left the state; what the call answered is kept with its attempt
   * @throws CommitUnknownError
   */
  async run(activated: Activated, step: StepDefinition, at: AttemptAt): Promise<StepsClosed> {
    const closed = await this.perform(activated, {
      at,
      terms: { ...step, timeoutMs: attemptMaxMs(step) },
      call: { timeoutMs: step.timeoutMs, deadlineMs: step.deadlineMs, perform: step.run },
      close: (tx, work) => this.closer.close(tx, activated, work),
    });
    crashPoint('step.after-commit');
    return closed;
  }

  /** Intent, call, close: of a step, or of the compensation of one. Throws as `run` does. */
  async perform(activated: Activated, { at, terms, call, close }: ExternalCall): Promise<StepsClosed> {
    const askedAtMs = performance.now();
    const intent = await this.transactions.run((tx) => recordIntent(tx, at, terms));
    if (intent === undefined) throw new Refusal();
    crashPoint('external.after-intent');
    // Its deadline stands in the record: what took long to write, or stood still since, has less time left.
    const leftMs = terms.timeoutMs + DOUBT_GRACE_MS - (performance.now() - askedAtMs);
    const { claim, held } = activated;
    const { attempts } = intent;
    const once = terms.guarantee === 'at-most-once';
    const requests = new StepRequests(this.exchange, { ...intent, idempotencyKey: at.idempotencyKey });
    const result = await callStep({
      ...call,
      leftMs,
      finishes: once,
      attempted: at,
      run: claim.run,
      outputs: outputsOf(claim),
      attempt: attempts,
      requests,
      signal: held.signal,
    });
    crashPoint('external.after-effect');
    const closed = await this.close(activated, { at, attempts, once, close }, result);
    requests.forget(this.forgetting);
    return closed;
  }

  private async close(
    activated: Activated,
    { at, attempts, once, close }: Pick<ExternalCall, 'at' | 'close'> & { attempts: number; once: boolean },
    { output, messages }: StepResult,
  ): Promise<StepsClosed> {
    const finished = [finishedStep(activated, at, { attempts, output, attemptId: at.attemptId })];
    try {
      return await closingAlone(activated, (begin) =>
        this.insist(activated, async (tx) => {
          await begin();
          const closed = await close(tx, { finished, messages });
          if (once) await retractStepLoss(tx, at);
          return closed;
        }),
      );
    } catch (error) {
      if (error instanceof Refusal)
        await this.insist(activated, async (tx) => {
          if ((await recordOutcome(tx, at, output)) && once) await retractStepLoss(tx, at);
        });
      throw error;
    }
  }

  /** The effect has happened: as long as the lease holds, it is worth another try to say so. */
  private async insist<T>({ held }: Activated, work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.transactions.run(work);
      } catch (error) {
        if (!isTrouble(error) || held.signal.aborted) throw error;
        await pause(AGAIN_MS);
      }
    }
  }
}

const AGAIN_MS = 100;

/** Calls at a time that tell other services that an answer is kept here. */
const FORGETTING_MAX = 32;
