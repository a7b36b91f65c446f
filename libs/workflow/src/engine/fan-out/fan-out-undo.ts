import { crashPoint, RangeSet } from '@pawl/core';
import { type ItemDue, outputOfItems } from '../../machine/steps/items.js';
import { type NextMove, waitOfUndo } from '../../machine/steps/next-move.js';
import type { Undoing } from '../../machine/steps/undo.js';
import type { CompensationDefinition } from '../../model/definition.js';
import type { StepRecord } from '../../model/step-record.js';
import { beginItems, restItems } from '../../store/items.js';
import { firstFailed, itemsToUndo, itemToUndoNow } from '../../store/items-open.js';
import type { AttemptAt } from '../../store/step-attempts.js';
import type { Activated } from '../activate/activated.js';
import { attemptedUndo, finishedStep } from '../attempt/attempt.js';
import { closingAlone } from '../activate/closing.js';
import { compensationCall } from '../attempt/compensation.js';
import { itemsFailed } from './fan-out-failure.js';
import { type FanOutParts, noteHead } from './fan-out.js';
import type { FanOutItems } from './fan-out-items.js';
import { FanOutList } from './fan-out-list.js';
import { FanOutPass } from './fan-out-pass.js';
import { Refusal, type StepsClosed } from '../attempt/step-outcome.js';

/** A step over items that is undone, and how. */
interface Undone {
  readonly undoing: Undoing;
  readonly definition: CompensationDefinition;
  /** Names the head row of the compensation. */
  readonly head: AttemptAt;
}

/**
 * Undoes a step item by item, the highest index first: what is done or in doubt, each under a key of its own. One that can not be undone holds up no
 * other.
 */
export class FanOutUndo {
  constructor(private readonly parts: FanOutParts) {}

  /** @throws Refusal: the run is to be read again; PermanentError: some items could not be undone; CommitUnknownError */
  async run(activated: Activated, work: Undone): Promise<StepsClosed> {
    const { undoing, head } = work;
    const begun = await this.parts.transactions.run((tx) =>
      beginItems(tx, head, { total: undoing.record.itemsTotal ?? 0, deadlineMs: undefined, noReturn: false }),
    );
    if (begun === undefined) throw new Refusal();
    const progress = { ...begun };
    noteHead(activated, head, { itemsTotal: begun.total, intendedMs: begun.intendedMs });
    const pass = new FanOutPass(activated, this.itemsOf(activated, work, begun.total), this.parts.attempts, {
      isStopping: this.parts.isStopping,
      stopsAtFailure: false,
      onDone: (indexes) => (progress.done = progress.done.union(RangeSet.of(...indexes))),
      onFailed: (index) => (progress.failed = progress.failed.add(index)),
      onDoubt: () => undefined,
    });
    const end = await pass.run([]);
    if (end.kind === 'rest') await this.parts.transactions.run((tx) => restItems(tx, head, end.waitMs));
    if (end.kind !== 'over') throw new Refusal();
    if (progress.failed.size > 0) throw await this.stuck(activated, head, progress.failed.size);
    return this.close(activated, undoing, outputOfItems(progress));
  }

  private async stuck({ held }: Activated, head: AttemptAt, count: number): Promise<Error> {
    const failed = await this.parts.transactions.run((tx) => firstFailed(tx, head));
    if (held.signal.aborted || failed === undefined) return new Refusal();
    return itemsFailed(failed.index, failed.message, count - 1);
  }

  private async close(activated: Activated, undoing: Undoing, output: unknown): Promise<StepsClosed> {
    crashPoint('items.before-end');
    const closed = await closingAlone(activated, (begin) =>
      this.parts.transactions.run(async (tx) => {
        await begin();
        const finished = [finishedStep(activated, attemptedUndo(undoing), { attempts: 1, output })];
        return this.parts.closer.closeUndo(tx, activated, { finished, messages: [] });
      }),
    );
    crashPoint('undo.after-commit');
    return closed;
  }

  private itemsOf(activated: Activated, { undoing, definition, head }: Undone, total: number): FanOutItems {
    const { transactions } = this.parts;
    const { step } = undoing;
    const list = new FanOutList(activated, step);
    let below = total;
    return {
      head,
      step,
      retry: definition.retry,
      timeoutMs: definition.timeoutMs,
      concurrency: step.forEach?.concurrency ?? 1,
      together: definition.effect === 'transactional' && !step.alone,
      more: async (most) => {
        const found = await transactions.run((tx) => itemsToUndo(tx, head, { below, limit: most }));
        below = found.at(-1)?.index ?? 0;
        return found;
      },
      now: async ({ index }) => transactions.run((tx) => itemToUndoNow(tx, head, index)),
      moveOf: (item) => moveOfUndo(item, undoing, definition),
      waitOf: ({ record: undo, undoes }) => (undoes ? waitOfUndo({ record: undoes, undo }) : 0),
      attempted: (index) => attemptedUndo(undoing, index),
      callOf: ({ index, undoes }) => ({
        ...compensationCall(activated, definition, { ...undoing, record: undoes ?? undoing.record }, index),
        item: list.at(index, total),
      }),
      timeLeftMs: () => undefined,
      goesOn: () => {
        const { status } = activated.claim.run;
        return status === 'running' || status === 'compensating';
      },
    };
  }
}

function moveOfUndo(
  { record: undo, undoes }: ItemDue,
  { step }: Undoing,
  { retry }: CompensationDefinition,
): NextMove {
  if (undo && undo.attempts >= retry.attemptsMax) return 'give-up';
  return undo === undefined && undoes && isToBeConfirmed(undoes) && step.confirmation ? 'confirm' : 'attempt';
}

function isToBeConfirmed({ inDoubt, status }: StepRecord): boolean {
  return inDoubt && status !== 'lost';
}
