import { CommitUnknownError, crashPoint, isTrouble, type Transaction, type Transactions } from '@pawl/core';
import type { OutgoingMessage } from '@pawl/messaging';
import type { ItemDue } from '../../machine/steps/items.js';
import { attemptMaxMs, nextMove } from '../../machine/steps/next-move.js';
import { stepRecord } from '../../model/step-record.js';
import type { FinishedStep } from '../../store/close-steps.js';
import type { AttemptAt } from '../../store/step-attempts.js';
import { settleStepLoss } from '../../store/step-losses.js';
import type { Activated } from '../activate/activated.js';
import { attemptAt, attemptedStep, finishedStep } from '../attempt/attempt.js';
import { outputsOf } from '../activate/claim-view.js';
import { closingAlone } from '../activate/closing.js';
import type { ExternalStep } from '../attempt/external-step.js';
import type { Failing, Failures } from '../attempt/failures.js';
import { failingItem, itemCall, itemOf } from './fan-out-calls.js';
import type { FanOutCloser } from './fan-out-closer.js';
import type { FanOutItems } from './fan-out-items.js';
import type { Doubt, Inquiry } from '../attempt/inquiry.js';
import type { Work } from '../attempt/step-closer.js';
import { hasIdled } from '../attempt/step-idled.js';
import { Refusal } from '../attempt/step-outcome.js';
import type { TransactionalSteps } from '../attempt/transactional-steps.js';

/** What came of an attempt at some items. */
export type ItemsTried =
  /** `left` were not begun: the transaction had lasted long enough. */
  | { readonly kind: 'done'; readonly items: readonly ItemDue[]; readonly left: readonly ItemDue[] }
  /** It is made at most once, and nobody knows what came of it. */
  | { readonly kind: 'lost'; readonly item: ItemDue }
  /** One of several has failed, and all are rolled back: each is tried alone. */
  | { readonly kind: 'apart'; readonly items: readonly ItemDue[] }
  /** Its record says what follows. */
  | { readonly kind: 'look'; readonly item: ItemDue }
  /** The run is lost, or has moved. */
  | { readonly kind: 'refused' };

export interface FanOutAttemptsParts {
  readonly transactions: Transactions;
  readonly transactional: TransactionalSteps;
  readonly external: ExternalStep;
  readonly inquiry: Inquiry;
  readonly failures: Failures;
  readonly closer: FanOutCloser;
}

/** So long a shared transaction takes up further items; a slow item has one of its own. Milliseconds. */
const TOGETHER_MS_MAX = 50;

/** Makes the next move of items, and records what came of it. */
export class FanOutAttempts {
  constructor(private readonly parts: FanOutAttemptsParts) {}

  /**
   * @param portion one item, or several transactional ones that share a transaction
   * @throws CommitUnknownError, and trouble that is not the items' fault
   */
  async make(
    activated: Activated,
    items: FanOutItems,
    portion: readonly [ItemDue, ...ItemDue[]],
  ): Promise<ItemsTried> {
    const [item] = portion;
    const at = attemptAt(activated, items.attempted(item.index));
    const failing = failingItem(items, item, at);
    const move = portion.length > 1 ? 'attempt' : items.moveOf(item);
    if (move === 'give-up') {
      await this.parts.failures.giveUp(activated, failing);
      return { kind: 'look', item };
    }
    if (move === 'lose') return this.lose(activated, items, item, at);
    if (move === 'confirm') return this.confirm(activated, items, item, failing);
    return this.attempt(activated, items, portion, failing);
  }

  private async attempt(
    activated: Activated,
    items: FanOutItems,
    portion: readonly [ItemDue, ...ItemDue[]],
    failing: Failing,
  ): Promise<ItemsTried> {
    try {
      const begun =
        failing.at.effect === 'external'
          ? await this.call(activated, items, portion[0], failing.at)
          : await this.transact(activated, items, portion);
      crashPoint('items.after-commit');
      return { kind: 'done', items: begun, left: portion.slice(begun.length) };
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refused' };
      if (error instanceof CommitUnknownError || (isTrouble(error) && !hasIdled(error))) throw error;
      // The group spends no attempt.
      if (portion.length > 1) return { kind: 'apart', items: portion };
      await this.parts.failures.fail(activated, failing, error);
      return { kind: 'look', item: portion[0] };
    }
  }

  private async call(
    activated: Activated,
    items: FanOutItems,
    item: ItemDue,
    at: AttemptAt,
  ): Promise<ItemDue[]> {
    const { timeoutMs, head, step } = items;
    const deadlineMs = items.timeLeftMs();
    const call = { ...itemCall(items, item), timeoutMs, deadlineMs };
    await this.parts.external.perform(activated, {
      at,
      terms: {
        timeoutMs: attemptMaxMs({ timeoutMs, ...(deadlineMs !== undefined && { deadlineMs }) }),
        // The step as a whole said so when it was begun.
        noReturn: false,
        guarantee: head.kind === 'step' ? step.guarantee : 'at-least-once',
      },
      call,
      close: (tx, work) => this.parts.closer.close(tx, activated, head, work),
    });
    return [item];
  }

  private async transact(
    activated: Activated,
    items: FanOutItems,
    portion: readonly ItemDue[],
  ): Promise<ItemDue[]> {
    let begun: ItemDue[] = [];
    await this.parts.transactional.transact(
      activated,
      items.timeoutMs,
      async (tx) => {
        // A transaction that is tried again begins anew.
        begun = [];
        return this.perform(tx, activated, items, portion, begun);
      },
      (tx, work) => this.parts.closer.close(tx, activated, items.head, work),
    );
    return begun;
  }

  private async perform(
    tx: Transaction,
    activated: Activated,
    items: FanOutItems,
    portion: readonly ItemDue[],
    begun: ItemDue[],
  ): Promise<Work> {
    const { claim, held } = activated;
    const messages: OutgoingMessage[] = [];
    const finished: FinishedStep[] = [];
    const sinceMs = performance.now();
    for (const item of portion) {
      if (begun.length > 0 && performance.now() - sinceMs >= TOGETHER_MS_MAX) break;
      const attempted = items.attempted(item.index);
      const attempts = (item.record?.attempts ?? 0) + 1;
      const result = await this.parts.transactional.call(tx, {
        ...itemCall(items, item),
        attempted,
        timeoutMs: items.timeoutMs,
        deadlineMs: items.timeLeftMs(),
        run: claim.run,
        outputs: outputsOf(claim),
        attempt: attempts,
        signal: held.signal,
      });
      messages.push(...result.messages);
      finished.push(finishedStep(activated, attempted, { attempts, output: result.output }));
      begun.push(item);
    }
    return { finished, messages };
  }

  /** As of a step that runs once: it is counted as given up, the others go on, and its row stays in the loss ledger. */
  private async lose(
    activated: Activated,
    items: FanOutItems,
    item: ItemDue,
    at: AttemptAt,
  ): Promise<ItemsTried> {
    const finished = finishedStep(activated, at, { attempts: item.record?.attempts ?? 1, output: null });
    try {
      await closingAlone(activated, (begin) =>
        this.parts.transactions.run(async (tx) => {
          await begin();
          const lost = { finished: [{ ...finished, status: 'lost' as const }], messages: [] };
          const closed = await this.parts.closer.close(tx, activated, items.head, lost);
          await settleStepLoss(tx, at);
          return closed;
        }),
      );
      return { kind: 'lost', item };
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refused' };
      throw error;
    }
  }

  /** Asks first; where nobody can say, and it was declared to be fine, the attempt is made again under its key. */
  private async confirm(
    activated: Activated,
    items: FanOutItems,
    item: ItemDue,
    failing: Failing,
  ): Promise<ItemsTried> {
    const answer = await this.parts.inquiry.ask(activated, this.doubtOf(activated, items, item, failing.at));
    if (answer === 'done') return { kind: 'done', items: [item], left: [] };
    if (answer !== 'unknown') return { kind: 'look', item };
    const { record } = item;
    if (!record || nextMove(items.step, { ...record, inDoubt: false }) !== 'give-up')
      return this.attempt(activated, items, [item], failing);
    await this.parts.failures.giveUp(activated, failing);
    return { kind: 'look', item };
  }

  /** Of the attempt that is to be made again, or of the one that is to be undone. */
  private doubtOf(activated: Activated, items: FanOutItems, item: ItemDue, at: AttemptAt): Doubt {
    const { step, head } = items;
    const of = { step, item: itemOf(items, item) };
    if (item.undoes)
      return {
        ...of,
        record: item.undoes,
        at: attemptAt(activated, attemptedStep(activated, step, item.index)),
      };
    const record = item.record ?? stepRecord({ name: step.name, status: 'intent', inDoubt: true });
    return { ...of, record, at, close: (tx, work) => this.parts.closer.close(tx, activated, head, work) };
  }
}
