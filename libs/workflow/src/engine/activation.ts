import { setTimeout as pause } from 'node:timers/promises';
import {
  CommitUnknownError,
  crashPoint,
  DatabaseUnavailableError,
  isTrouble,
  PawlError,
  sqlState,
  type Transactions,
} from '@pawl/core';
import { recordedError } from '@pawl/messaging';
import { nextAttempt } from '../machine/next-attempt.js';
import type { StepDefinition } from '../model/definition.js';
import { readClaimed, release, takeOver } from '../store/claims.js';
import { recordFailure } from '../store/step-attempts.js';
import { attemptsSpent, dueGroup, recordOf, withClosed } from './claim-view.js';
import { attemptAt, type ExternalStep } from './external-step.js';
import type { Activated, StepCloser } from './step-closer.js';
import { StepFailedError } from './step-call.js';
import { Refusal } from './step-outcome.js';
import type { TransactionalSteps } from './transactional-steps.js';

/** What the end of an activation means for the run: due again in so many milliseconds, or not before an event (null), or not ours any more. */
export type ActivationEnd =
  | { readonly kind: 'released'; readonly dueInMs: number | null; readonly dispatch: number }
  | { readonly kind: 'ended' | 'lost' };

export interface ActivationParts {
  readonly transactions: Transactions;
  readonly transactional: TransactionalSteps;
  readonly external: ExternalStep;
  readonly closer: StepCloser;
  readonly leaseMs: number;
  /** Whether the process is about to stop: no further step is begun. */
  readonly isStopping: () => boolean;
  readonly random: () => number;
}

type Next =
  { readonly kind: 'go-on' } | { readonly kind: 'release'; readonly dueInMs: number | null } | ActivationEnd;
const GO_ON: Next = { kind: 'go-on' };
const TROUBLE_PAUSE_MS = 1_000;
const GIVE_BACK_AGAIN_MS = 500;

/**
 * One pass of a worker over a claimed run: steps run until nothing is due. Each ends in a commit that checks the fencing token and the state, so
 * whatever happens to this process, what it has not committed has not happened.
 */
export class Activation {
  /** After a step has thrown in a shared transaction, and for a run whose last claim made no progress: one transaction each. */
  private alone: boolean;

  constructor(
    private activated: Activated,
    private readonly parts: ActivationParts,
  ) {
    this.alone = activated.claim.claims > 1;
  }

  async run(): Promise<ActivationEnd> {
    try {
      return await this.untilIdle();
    } catch (error) {
      if (!isTrouble(error)) throw error;
      return this.giveBack(error);
    }
  }

  /**
   * After trouble that is not the run's fault: it is given back, so that this claim does not count against it (D31). The trouble may last, and whoever
   * has held the row may have changed the run, so it is tried for as long as the lease holds; after that the lease says the same.
   */
  private async giveBack(trouble: unknown): Promise<ActivationEnd> {
    for (;;) {
      try {
        const end = await this.release(TROUBLE_PAUSE_MS);
        if (end.kind === 'released' || end.kind === 'lost') return end;
      } catch (error) {
        if (!isTrouble(error)) throw error;
      }
      if (this.activated.held.signal.aborted) throw trouble;
      await pause(GIVE_BACK_AGAIN_MS);
    }
  }

  private async untilIdle(): Promise<ActivationEnd> {
    for (;;) {
      const next = await this.attend(() => this.step());
      if (next.kind === 'go-on') continue;
      if (next.kind !== 'release') return next;
      const end = await this.attend(() => this.release(next.dueInMs));
      if (end.kind !== 'go-on' && end.kind !== 'release') return end;
    }
  }

  /** What is due now, done; or how long nothing will be. */
  private async step(): Promise<Next> {
    const { definition, claim, held } = this.activated;
    const group = dueGroup(definition, claim, this.alone);
    const first = group[0];
    if (first === undefined) return { kind: 'release', dueInMs: null };
    if (this.parts.isStopping()) return { kind: 'release', dueInMs: 0 };
    if (held.signal.aborted) return { kind: 'lost' };
    const waitMs = recordOf(claim, first)?.waitMs ?? 0;
    if (waitMs > 0) return { kind: 'release', dueInMs: waitMs };
    if (attemptsSpent(claim, first) >= first.retry.attemptsMax)
      return this.fail(first, attemptsExhausted(first));
    return this.perform(group, first);
  }

  private async perform(group: readonly StepDefinition[], first: StepDefinition): Promise<Next> {
    const { transactional, external } = this.parts;
    try {
      const closed = await (first.effect === 'external'
        ? external.run(this.activated, first)
        : transactional.run(this.activated, group));
      if (closed.released) return { kind: 'ended' };
      const untouched =
        closed.parkedCount === 0 && closed.run.revision === this.expectedRevision(closed.run.state);
      if (!untouched) return this.reload();
      this.activated = { ...this.activated, claim: withClosed(this.activated.claim, closed) };
      return GO_ON;
    } catch (error) {
      if (error instanceof Refusal) return this.reload();
      if (error instanceof CommitUnknownError || (isTrouble(error) && !hasIdled(error))) throw error;
      // What the step returned or sent can not be written, or a constraint says no at COMMIT: the attempt has failed as if it had thrown.
      if (group.length === 1) return this.fail(first, reasonOf(error, first));
      // The group spends no attempt: its steps run again, one transaction each.
      this.alone = true;
      return GO_ON;
    }
  }

  /** The revision if nobody but this step has written: one more where it has moved the run. */
  private expectedRevision(stateNow: string | null): number {
    const { run } = this.activated.claim;
    return run.state === stateNow ? run.revision : run.revision + 1;
  }

  private async fail(step: StepDefinition, error: unknown): Promise<Next> {
    const { claim, held } = this.activated;
    if (held.signal.aborted && !this.parts.isStopping()) return { kind: 'lost' };
    const spentBefore = attemptsSpent(claim, step);
    // Handed back in good order: the attempt is not spent.
    const givenBack = this.parts.isStopping() && held.signal.aborted;
    const attempts = givenBack ? spentBefore : Math.min(spentBefore + 1, step.retry.attemptsMax);
    const delay = givenBack ? 0 : nextAttempt(step.retry, attempts, error, this.parts.random);
    const { at: _, ...facts } = recordedError(error);
    const recorded = await this.parts.transactions.run(async (tx) => {
      const done = await recordFailure(tx, attemptAt(this.activated, step), {
        attempts,
        retryInMs: delay === 'give-up' ? null : delay,
        error: facts,
        attention: `step ${step.name} failed: ${facts.message}`.slice(0, 500),
      });
      // What waits with a run that has failed is late now.
      if (done && delay === 'give-up') await this.parts.closer.decideParked(tx, claim.run.id);
      return done;
    });
    if (!recorded) return this.reload();
    if (delay === 'give-up') return { kind: 'ended' };
    return { kind: 'release', dueInMs: delay };
  }

  private async release(dueInMs: number | null): Promise<Next> {
    const { claim, held } = this.activated;
    crashPoint('activation.before-release');
    const { id, revision } = claim.run;
    const released = await this.parts.transactions.run((tx) =>
      release(tx, { id, fencingToken: held.fencingToken, revision }, dueInMs),
    );
    if (released.kind === 'released') return { kind: 'released', dueInMs, dispatch: released.dispatch };
    return released.kind === 'changed' ? this.reload() : { kind: 'lost' };
  }

  /** Looks at the run again under its token: an event may have moved it. */
  private async reload(): Promise<Next> {
    const { held } = this.activated;
    const claim = await this.parts.transactions.run((tx) => readClaimed(tx, held.runId, held.fencingToken));
    if (claim === undefined) return { kind: 'lost' };
    this.activated = { ...this.activated, claim };
    return GO_ON;
  }

  /**
   * Runs a part; should the reply to its COMMIT be lost, takes the run over first, which waits for the doubtful transaction, and only then looks
   * what it has left: its records are there or never will be (D2, D3).
   */
  private async attend(part: () => Promise<Next>): Promise<Next> {
    try {
      return await part();
    } catch (error) {
      if (!(error instanceof CommitUnknownError)) throw error;
      return this.attend(() => this.takeOver());
    }
  }

  private async takeOver(): Promise<Next> {
    const { held } = this.activated;
    const { transactions, leaseMs } = this.parts;
    const token = await transactions.run((tx) =>
      takeOver(tx, { id: held.runId, fencingToken: held.fencingToken, leaseMs }),
    );
    if (token === undefined) return { kind: 'lost' };
    held.fencingToken = token;
    return this.reload();
  }
}

/** The server has ended the transaction of a step that waited for something else: the step's own doing. */
function hasIdled(error: unknown): error is DatabaseUnavailableError {
  return error instanceof DatabaseUnavailableError && sqlState(error.cause) === '25P03';
}

function reasonOf(error: unknown, { name }: StepDefinition): unknown {
  if (hasIdled(error)) return new StepIdledError(name, error);
  return error instanceof StepFailedError ? error.cause : error;
}

/** A transactional step let its transaction idle for most of the lease, so the server ended it and all is rolled back. */
export class StepIdledError extends PawlError {
  constructor(step: string, cause: unknown) {
    super(
      'step_idled',
      `Step ${step} asked nothing of its transaction for most of the lease, so the server ended it: an idle transaction keeps its locks. ` +
        'What waits for other systems belongs into an external step.',
      { step },
      cause,
    );
  }
}

function attemptsExhausted({ name, retry }: StepDefinition): Error {
  return new Error(
    `All ${retry.attemptsMax} attempts at ${name} are spent; the last ended without an answer.`,
  );
}
