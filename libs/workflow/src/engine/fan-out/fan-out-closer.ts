import { crashPoint, type Transaction, TransactionEndedError } from '@pawl/core';
import type { Outbox } from '@pawl/messaging';
import { closeItems } from '../../store/items.js';
import type { AttemptAt } from '../../store/step-attempts.js';
import type { Activated } from '../activate/activated.js';
import type { Work } from '../attempt/step-closer.js';
import { Refusal, type StepsClosed } from '../attempt/step-outcome.js';

/**
 * The end of a transaction in which items were worked on: their records and the ranges of the head row in one statement, then their messages. It moves
 * nothing; the step is closed as any other once all of its items are over.
 */
export class FanOutCloser {
  constructor(private readonly outbox: Outbox) {}

  /**
   * @param head of the step, with the run as it was when its items were begun
   * @throws Refusal, TransactionEndedError: nothing of it may be committed
   */
  async close(tx: Transaction, activated: Activated, head: AttemptAt, work: Work): Promise<StepsClosed> {
    const { fencingToken } = activated.held;
    const closed = await closeItems(tx, { ...head, fencingToken }, work.finished);
    if (closed.kind === 'transaction-ended') throw new TransactionEndedError();
    if (closed.kind === 'refused') throw new Refusal();
    // Behind the run's lock, so that a run's messages stand in the outbox in the order of its commits (D17).
    await this.outbox.append(tx, work.messages);
    crashPoint('items.before-commit');
    const run = { ...activated.claim.run, revision: closed.revision, status: closed.status };
    // The record of the step itself stays: none of what is known of the claim's steps is finished by this.
    return { run, finished: [], parkedCount: 0, released: false };
  }
}
