import { crashPoint, PawlError, type Transaction, type Transactions } from '@pawl/core';
import { recordedError } from '@pawl/messaging';
import { nextAttempt } from '../../machine/steps/next-attempt.js';
import { isPastNoReturn } from '../../machine/steps/no-return.js';
import type { ConfirmationDefinition, StepDefinition } from '../../model/definition.js';
import type { Confirmation } from '../../model/step-context.js';
import type { StepRecord } from '../../model/step-record.js';
import { askAgain, recordHappened, recordInDoubt, recordNotHappened } from '../../store/confirmations.js';
import { lockHeld, setNoReturn } from '../../store/held-run.js';
import type { AttemptAt } from '../../store/step-attempts.js';
import type { Activated } from '../activate/activated.js';
import { finishedStep } from './attempt.js';
import type { Tried } from './attempts.js';
import { outputsOf } from '../activate/claim-view.js';
import { closingAlone } from '../activate/closing.js';
import { callStep, StepFailedError, type StepResult } from './step-call.js';
import type { Work } from './step-closer.js';
import { Refusal, type StepsClosed } from './step-outcome.js';

/** An attempt in doubt. */
export interface Doubt {
  readonly step: StepDefinition;
  /** As of now. */
  readonly record: StepRecord;
  readonly at: AttemptAt;
  /** Of a step that runs for each item of a list: the item. */
  readonly item?: unknown;
  /** Closes the step with what it turned out to have returned. Absent where it is to be undone: then the step is done, and the run stays. */
  readonly close?: (tx: Transaction, work: Work) => Promise<StepsClosed>;
}

/** What was found out, with the messages that belong to it. */
interface Found {
  readonly answer: Confirmation<unknown>;
  readonly messages: StepResult['messages'];
}

/**
 * Asks the workflow whether an attempt in doubt took effect, before it is made again or undone. It acts on nothing, so a crash at any point means
 * that it is asked again.
 */
export class Inquiry {
  constructor(
    private readonly transactions: Transactions,
    private readonly random: () => number,
  ) {}

  /** @returns `unknown` where nobody can say, and the attempt is to be made again, or undone as it may be */
  async ask(activated: Activated, doubt: Doubt): Promise<Tried | 'unknown'> {
    const { confirmation } = doubt.step;
    if (confirmation === undefined) return 'unknown';
    const found = await this.find(activated, doubt, confirmation);
    if (found === undefined) return 'again';
    crashPoint('confirm.after-answer');
    const { happened } = found.answer;
    if (happened === true) return this.happened(activated, doubt, found.answer.output, found.messages);
    if (happened === 'unknown' && (!doubt.close || confirmation.unknown === 'retry')) return 'unknown';
    await this.transactions.run((tx) => this.write(tx, activated, doubt, happened));
    crashPoint('confirm.after-commit');
    return 'again';
  }

  /** Before the attempt's deadline only a yes counts: it may take effect yet, and is asked about again then. */
  private async write(
    tx: Transaction,
    { definition, held }: Activated,
    doubt: Doubt,
    happened: false | 'unknown',
  ): Promise<void> {
    const { record, at, step } = doubt;
    const undone = doubt.close === undefined;
    if (record.doubtMs > 0) return askAgain(tx, at, { undone, attempts: record.confirmAttempts });
    if (happened === 'unknown') return recordInDoubt(tx, at);
    const claim = step.noReturn ? await lockHeld(tx, held.runId, at.fencingToken) : undefined;
    if (!(await recordNotHappened(tx, at, { undone })) || !claim) return;
    const others = claim.steps.filter(({ name }) => name !== step.name);
    await setNoReturn(tx, held.runId, isPastNoReturn(definition, others));
  }

  private async happened(
    activated: Activated,
    { at, record, close }: Doubt,
    output: unknown,
    messages: StepResult['messages'],
  ): Promise<Tried> {
    if (close === undefined) {
      await this.transactions.run((tx) => recordHappened(tx, at, output));
      crashPoint('confirm.after-commit');
      return 'again';
    }
    const finished = [finishedStep(activated, at, { attempts: record.attempts, output })];
    try {
      const closed = await closingAlone(activated, (begin) =>
        this.transactions.run(async (tx) => {
          await begin();
          return close(tx, { finished, messages });
        }),
      );
      crashPoint('step.after-commit');
      return closed.released ? 'ended' : 'done';
    } catch (error) {
      if (error instanceof Refusal) return 'again';
      throw error;
    }
  }

  /** The answer; a question that fails too often counts as unknown. Undefined: it is asked again, later or by somebody else. */
  private async find(
    { claim, held }: Activated,
    { at, record, item, close }: Doubt,
    { name, retry, timeoutMs, run: perform }: ConfirmationDefinition,
  ): Promise<Found | undefined> {
    try {
      const { output, messages } = await callStep({
        attempted: at,
        timeoutMs,
        perform: async (context) => answered(name, await perform(context)),
        run: claim.run,
        outputs: outputsOf(claim),
        attempt: record.attempts,
        item,
        signal: held.signal,
      });
      return { answer: output as Confirmation<unknown>, messages };
    } catch (error) {
      if (!(error instanceof StepFailedError)) throw error;
      if (held.signal.aborted) return undefined;
      const attempts = record.confirmAttempts + 1;
      const delay = nextAttempt(retry, attempts, error.cause, this.random);
      if (delay === 'give-up') return { answer: { happened: 'unknown' }, messages: [] };
      const failure = { inMs: delay, error: recordedError(error.cause) };
      await this.transactions.run((tx) =>
        askAgain(tx, at, { undone: close === undefined, attempts, ...failure }),
      );
      return undefined;
    }
  }
}

/** @throws PawlError `confirmation_invalid` */
function answered(name: string, answer: Confirmation<unknown> | undefined): Confirmation<unknown> {
  if (ANSWERS.some((one) => one === answer?.happened)) return answer as Confirmation<unknown>;
  throw new PawlError(
    'confirmation_invalid',
    `${name} did not answer whether the attempt took effect; return happened(output), didNotHappen() or unknown().`,
  );
}

const ANSWERS = [true, false, 'unknown'];
