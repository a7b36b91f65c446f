import { crashPoint, type Transaction, type Transactions } from '@pawl/core';
import type { OutgoingMessage } from '@pawl/messaging';
import type { StepDefinition } from '../model/definition.js';
import type { FinishedStep } from '../store/close-steps.js';
import { attemptsSpent, outputsOf } from './claim-view.js';
import { callStep } from './step-call.js';
import { type Activated, finishedStep, type StepCloser, type Work } from './step-closer.js';
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
    const closed = await this.transactions.run(
      async (tx) => {
        const work = await this.perform(tx, activated, steps);
        crashPoint('step.after-effect');
        return this.closer.close(tx, activated, work);
      },
      {
        // The server ends the transaction of a stopped process before its lease ends, so that its successor need not wait.
        idleTimeoutMs: Math.floor(this.leaseMs * 0.8),
        // A step that waits for a statement can not be interrupted here; the server does it.
        statementTimeoutMs: Math.max(...steps.map(({ timeoutMs }) => timeoutMs)),
      },
    );
    crashPoint('step.after-commit');
    return closed;
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
      const { manager, revoke } = tx.lend();
      try {
        const call = {
          step,
          run: claim.run,
          outputs: { ...outputs },
          attempt: attempts,
          manager,
          signal: held.signal,
        };
        const result = await callStep(call);
        messages.push(...result.messages);
        outputs[step.name] = result.output;
        finished.push(finishedStep(activated, step, { attempts, output: result.output }));
      } finally {
        revoke();
      }
    }
    return { finished, messages };
  }
}
