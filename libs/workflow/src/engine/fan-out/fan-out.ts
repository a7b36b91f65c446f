import { crashPoint, RangeSet, type Transactions } from '@pawl/core';
import {
  areItemsOver,
  freshItems,
  type ItemDue,
  type ItemsProgress,
  outputOfItems,
} from '../../machine/steps/items.js';
import { nextMove, waitOf } from '../../machine/steps/next-move.js';
import { itemsFailed } from './fan-out-failure.js';
import { StepDeadlineError } from '../../machine/steps/step-deadline-error.js';
import type { StepDefinition } from '../../model/definition.js';
import { stepRecord } from '../../model/step-record.js';
import { beginItems, holdItems, restItems } from '../../store/items.js';
import { firstFailed, itemNow, openItems } from '../../store/items-open.js';
import type { AttemptAt } from '../../store/step-attempts.js';
import type { Activated } from '../activate/activated.js';
import { attemptedStep, finishedStep } from '../attempt/attempt.js';
import { recordOf } from '../activate/claim-view.js';
import { closingAlone } from '../activate/closing.js';
import type { FanOutAttempts } from './fan-out-attempts.js';
import type { FanOutItems } from './fan-out-items.js';
import { FanOutList } from './fan-out-list.js';
import { FanOutPass } from './fan-out-pass.js';
import type { StepCloser } from '../attempt/step-closer.js';
import { Refusal, type StepsClosed } from '../attempt/step-outcome.js';

export interface FanOutParts {
  readonly transactions: Transactions;
  readonly attempts: FanOutAttempts;
  readonly closer: StepCloser;
  readonly isStopping: () => boolean;
}

/** Open items that are read when a claim goes on with them; no more are left open than that. */
const OPEN_MAX = 5_200;

/** Indexes that are named to a person. */
const NAMED_MAX = 10;

/**
 * Runs a step for each of its items, some of them at a time, each with a key, attempts and a commit of its own. The head row says in ranges which
 * of them are done, and the step ends, as any other, when all are.
 */
export class FanOut {
  constructor(private readonly parts: FanOutParts) {}

  /**
   * @throws Refusal: the run is to be read again; PermanentError, StepDeadlineError: the step gives up; what `forEach.items` throws; CommitUnknownError
   */
  async run(activated: Activated, step: StepDefinition, head: AttemptAt): Promise<StepsClosed> {
    const list = new FanOutList(activated, step);
    const begun = await this.begin(activated, step, head, list);
    crashPoint('items.after-begin');
    const end = await this.pass(activated, { step, head, list, ...begun });
    if (end === 'over') return this.close(activated, step, begun.progress);
    throw end;
  }

  private async begin(
    activated: Activated,
    step: StepDefinition,
    head: AttemptAt,
    list: FanOutList,
  ): Promise<Begun> {
    const known = recordOf(activated.claim, step)?.itemsTotal ?? undefined;
    const { deadlineMs, noReturn } = step;
    const terms = { total: known ?? list.count(), deadlineMs, noReturn };
    const [begun, open] = await this.parts.transactions.run(async (tx) => {
      const row = await beginItems(tx, head, terms);
      return [row, row ? await openItems(tx, head, OPEN_MAX) : []] as const;
    });
    if (begun === undefined) throw new Refusal();
    const { total: itemsTotal, intendedMs } = begun;
    noteHead(activated, head, { itemsTotal, intendedMs });
    const expiresAtMs = deadlineMs === undefined ? undefined : performance.now() + deadlineMs;
    return { progress: begun, open, expiresAtMs };
  }

  /** Answers what the step fails of, a refusal if the run is to be read again, or that all items are over. */
  private async pass(activated: Activated, work: Begun & Fanned): Promise<'over' | Error> {
    const { step, head, progress, open } = work;
    const stopsAtFailure = step.forEach?.onItemFailure === 'stop';
    const doubted: number[] = [];
    const failed =
      stopsAtFailure && progress.failed.size > 0 ? await this.failed(activated, head) : undefined;
    if (failed) return failed;
    const pass = new FanOutPass(activated, itemsOf(activated, this.parts, work), this.parts.attempts, {
      isStopping: this.parts.isStopping,
      stopsAtFailure,
      onDone: (indexes) => (progress.done = progress.done.union(RangeSet.of(...indexes))),
      onFailed: (index) => (progress.failed = progress.failed.add(index)),
      onDoubt: (index) => doubted.push(index),
    });
    const end = await pass.run(open);
    if (end.kind === 'given-up') return (await this.failed(activated, head)) ?? new Refusal();
    if (end.kind === 'over' && areItemsOver(progress)) return 'over';
    if (isExpired(work)) return new StepDeadlineError(step.name, progress.done.size);
    if (end.kind === 'rest') await this.parts.transactions.run((tx) => restItems(tx, head, end.waitMs));
    if (end.kind === 'over' && doubted.length > 0)
      await this.parts.transactions.run((tx) => holdItems(tx, head, named(doubted)));
    return new Refusal();
  }

  /** Read from the item's row: whoever goes on after a crash has not seen it fail. */
  private async failed({ held }: Activated, head: AttemptAt): Promise<Error | undefined> {
    crashPoint('items.before-give-up');
    const failed = await this.parts.transactions.run((tx) => firstFailed(tx, head));
    // Handed back in good order: whoever has it next finds the same.
    if (failed && held.signal.aborted) return new Refusal();
    return failed && itemsFailed(failed.index, failed.message);
  }

  private async close(
    activated: Activated,
    step: StepDefinition,
    progress: ItemsProgress,
  ): Promise<StepsClosed> {
    crashPoint('items.before-end');
    const output = outputOfItems(progress);
    const closed = await closingAlone(activated, (begin) =>
      this.parts.transactions.run(async (tx) => {
        await begin();
        const finished = [finishedStep(activated, attemptedStep(activated, step), { attempts: 1, output })];
        return this.parts.closer.close(tx, activated, { finished, messages: [] });
      }),
    );
    crashPoint('step.after-commit');
    return closed;
  }
}

interface Fanned {
  readonly step: StepDefinition;
  readonly head: AttemptAt;
  readonly list: FanOutList;
}

interface Begun {
  /** Goes on with the pass. */
  readonly progress: { readonly total: number; done: RangeSet; failed: RangeSet };
  readonly open: readonly ItemDue[];
  /** By this process's clock. */
  readonly expiresAtMs: number | undefined;
}

/** The step is known to be begun from here on: what it has done is undone item by item. */
export function noteHead(
  activated: Activated,
  { name, kind, undoes, generation }: AttemptAt,
  facts: { readonly itemsTotal: number; readonly intendedMs: number },
): void {
  const { claim } = activated;
  const before = claim.steps.find((record) => record.name === name);
  const others = claim.steps.filter((record) => record !== before);
  const head = { ...before, name, kind, undoes, generation, status: 'open' as const, attempts: 0, ...facts };
  activated.claim = { ...claim, steps: [...others, stepRecord(head)] };
}

function itemsOf(
  activated: Activated,
  { transactions }: Pick<FanOutParts, 'transactions'>,
  work: Begun & Fanned,
): FanOutItems {
  const { step, head, list, progress, open, expiresAtMs } = work;
  const before = { ...progress };
  const known = new Set(open.map(({ index }) => index));
  let from = 0;
  return {
    head,
    step,
    retry: step.retry,
    timeoutMs: step.timeoutMs,
    concurrency: step.forEach?.concurrency ?? 1,
    together: step.effect === 'transactional' && !step.alone,
    more: async (most) => {
      const { items, next } = freshItems(before, known, from, most);
      from = next;
      return items;
    },
    now: async ({ index }) => {
      const record = await transactions.run((tx) => itemNow(tx, head, index));
      return record && { index, record };
    },
    moveOf: ({ record }) => (record ? nextMove(step, record) : 'attempt'),
    waitOf: ({ record }) => waitOf(step, record),
    attempted: (index) => attemptedStep(activated, step, index),
    callOf: ({ index }) => ({ perform: step.run, item: list.at(index, progress.total) }),
    timeLeftMs: () => (expiresAtMs === undefined ? undefined : Math.max(1, expiresAtMs - performance.now())),
    goesOn: () => {
      const { run } = activated.claim;
      return run.status === 'running' && run.state === step.in && !isExpired(work);
    },
  };
}

function isExpired({ expiresAtMs }: Pick<Begun, 'expiresAtMs'>): boolean {
  return expiresAtMs !== undefined && performance.now() >= expiresAtMs;
}

function named(indexes: readonly number[]): string {
  const first = indexes.toSorted((a, b) => a - b).slice(0, NAMED_MAX);
  const more = indexes.length - first.length;
  return `items ${first.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
