import { setTimeout as pause } from 'node:timers/promises';
import { crashPoint, isTrouble, Slots, type Transaction, type Transactions } from '@pawl/core';
import type { ExchangeClient } from '@pawl/messaging';
import { v7 as uuidv7 } from 'uuid';
import type { StepDefinition } from '../model/definition.js';
import { type AttemptAt, recordIntent, recordOutcome } from '../store/step-attempts.js';
import { outputsOf } from './claim-view.js';
import { callStep, idempotencyKeyOf, type StepResult } from './step-call.js';
import { type Activated, finishedStep, type StepCloser } from './step-closer.js';
import { Refusal, type StepsClosed } from './step-outcome.js';
import { StepRequests } from './step-requests.js';

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
  async run(activated: Activated, step: StepDefinition): Promise<StepsClosed> {
    const at = attemptAt(activated, step);
    const intent = await this.transactions.run((tx) => recordIntent(tx, at, step.timeoutMs));
    if (intent === undefined) throw new Refusal();
    crashPoint('external.after-intent');
    const { claim, held } = activated;
    const { attempts } = intent;
    const requests = new StepRequests(this.exchange, { ...intent, idempotencyKey: at.idempotencyKey });
    const result = await callStep({
      step,
      run: claim.run,
      outputs: outputsOf(claim),
      attempt: attempts,
      requests,
      signal: held.signal,
    });
    crashPoint('external.after-effect');
    const closed = await this.close(activated, at, step, attempts, result);
    crashPoint('step.after-commit');
    requests.forget(this.forgetting);
    return closed;
  }

  private async close(
    activated: Activated,
    at: AttemptAt,
    step: StepDefinition,
    attempts: number,
    { output, messages }: StepResult,
  ): Promise<StepsClosed> {
    const finished = [finishedStep(activated, step, { attempts, output, attemptId: at.attemptId })];
    try {
      return await this.insist(activated, (tx) => this.closer.close(tx, activated, { finished, messages }));
    } catch (error) {
      if (error instanceof Refusal) await this.insist(activated, (tx) => recordOutcome(tx, at, output));
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

export function attemptAt({ claim, held }: Activated, step: StepDefinition): AttemptAt {
  return {
    run: claim.run,
    fencingToken: held.fencingToken,
    step: step.name,
    effect: step.effect,
    attemptId: uuidv7(),
    idempotencyKey: idempotencyKeyOf(claim.run, step),
  };
}
