import { crashPoint, type Transaction, type Transactions } from '@pawl/core';
import type { OutgoingMessage } from '@pawl/messaging';
import { attemptMaxMs } from '../../machine/steps/next-move.js';
import type { StepDefinition } from '../../model/definition.js';
import type { FinishedStep } from '../../store/close-steps.js';
import type { Activated } from '../activate/activated.js';
import { attemptedStep, finishedStep } from './attempt.js';
import { attemptsSpent, outputsOf } from '../activate/claim-view.js';
import { closingAlone } from '../activate/closing.js';
import { callStep, type StepCall, type StepResult } from './step-call.js';
import type { StepCloser, Work } from './step-closer.js';
import type { StepsClosed } from './step-outcome.js';

/**
 * Runs transactional steps of one state in one transaction: their writes, their records, their messages and the transition commit together or not
 * at all. Nobody holds the run's row while they run; the closing statement takes it last.
 */
export class TransactionalSteps {
  constructor(
    private readonly transactions: Transactions,
    private readonly closer: StepCloser,
    private readonly leaseMs: number,
  ) {}

  /**
   * @throws StepFailedError of the one that threw: everything was rolled back
   * @throws Refusal: the run is no longer this worker's, or not in this state; everything was rolled back
   * @throws CommitUnknownError
   */
  async run(activated: Activated, steps: readonly StepDefinition[]): Promise<StepsClosed> {
    const timeoutMs = Math.max(...steps.map(attemptMaxMs));
    const closed = await this.transact(
      activated,
      timeoutMs,
      (tx) => this.perform(tx, activated, steps),
      (tx, work) => this.closer.close(tx, activated, work),
    );
    crashPoint('step.after-commit');
    return closed;
  }

  /** User code first, then the close, while no other close of this run is on its way; then COMMIT. */
  async transact(
    activated: Activated,
    timeoutMs: number,
    perform: (tx: Transaction) => Promise<Work>,
    close: (tx: Transaction, work: Work) => Promise<StepsClosed>,
  ): Promise<StepsClosed> {
    return closingAlone(activated, (begin) =>
      this.transactions.run(
        async (tx) => {
          const work = await perform(tx);
          crashPoint('step.after-effect');
          await begin();
          return close(tx, work);
        },
        {
          // The server ends the transaction of a stopped process before its lease ends, so that its successor need not wait.
          idleTimeoutMs: Math.floor(this.leaseMs * 0.8),
          // A step that waits for a statement can not be interrupted here; the server does it.
          statementTimeoutMs: timeoutMs,
        },
      ),
    );
  }

  /** One call with an EntityManager of the transaction, which ends with it. */
  async call(tx: Transaction, call: Omit<StepCall, 'manager'>): Promise<StepResult> {
    const { manager, revoke } = tx.lend();
    try {
      return await callStep({ ...call, manager });
    } finally {
      revoke();
    }
  }

  private async perform(
    tx: Transaction,
    activated: Activated,
    steps: readonly StepDefinition[],
  ): Promise<Work> {
    const { claim, held } = activated;
    const messages: OutgoingMessage[] = [];
    const finished: FinishedStep[] = [];
    const outputs = outputsOf(claim);
    for (const step of steps) {
      const attempts = attemptsSpent(claim, step) + 1;
      const attempted = attemptedStep(activated, step);
      const result = await this.call(tx, {
        attempted,
        timeoutMs: step.timeoutMs,
        deadlineMs: step.deadlineMs,
        perform: step.run,
        run: claim.run,
        outputs: { ...outputs },
        attempt: attempts,
        signal: held.signal,
      });
      messages.push(...result.messages);
      outputs[step.name] = result.output;
      finished.push(finishedStep(activated, attempted, { attempts, output: result.output }));
    }
    return { finished, messages };
  }
}
