import { setTimeout as pause } from 'node:timers/promises';
import { CommitUnknownError, crashPoint, isTrouble, Slots, type Transactions } from '@pawl/core';
import { laterBy, nextMove, waitOf, waitOfUndo, withTimeLeft } from '../../machine/steps/next-move.js';
import { dueSteps, restingOrRunning } from '../../machine/steps/steps.js';
import { afterUndo, toUndo } from '../../machine/steps/undo.js';
import type { Definition } from '../../model/definition.js';
import { type Claim, readClaimed, release, takeOver } from '../../store/claims.js';
import { settleRun } from '../../store/settle-run.js';
import type { Activated } from './activated.js';
import { recordOf } from './claim-view.js';
import type { Held } from './lease-keeper.js';
import type { StepCloser } from '../attempt/step-closer.js';
import type { Attempts, DueWork, Tried } from '../attempt/attempts.js';

/** What the end of an activation means for the run: due again in so many milliseconds, or not before an event (null), or not ours any more. */
export type ActivationEnd =
  | { readonly kind: 'released'; readonly dueInMs: number | null; readonly dispatch: number }
  | { readonly kind: 'ended' | 'lost' };

export interface ActivationParts {
  readonly transactions: Transactions;
  readonly attempts: Attempts;
  readonly closer: StepCloser;
  readonly leaseMs: number;
  /** Whether the process is about to stop: no further step is begun. */
  readonly isStopping: () => boolean;
}

type Next = { readonly kind: 'go-on' } | ActivationEnd;
const GO_ON: Next = { kind: 'go-on' };
const LOST: Next = { kind: 'lost' };
const TROUBLE_PAUSE_MS = 1_000;
const GIVE_BACK_AGAIN_MS = 500;

/** Steps of one run that are at work at a time; the items of one step are counted by its own limit. */
const AT_WORK_MAX = 16;

/** Work under way: answers what came of it, and never rejects. */
type UnderWay = Promise<
  { readonly name: string; readonly tried: Tried } | { readonly name: string; readonly error: unknown }
>;

/**
 * One pass of a worker over a claimed run: what is due is done, side by side where the workflow allows it, until nothing is due. Each piece of work
 * ends in a commit that checks the fencing token and the state, so whatever happens to this process, what it has not committed has not happened.
 */
export class Activation {
  private readonly activated: Activated;
  private readonly atWork = new Map<string, UnderWay>();
  /** When the claim was read: its waits count from here. */
  private readAtMs = performance.now();

  constructor(
    { definition, claim, held }: { definition: Definition; claim: Claim; held: Held },
    private readonly parts: ActivationParts,
  ) {
    this.activated = {
      definition,
      claim,
      held,
      outdated: false,
      oneByOne: claim.claims > 1,
      closing: new Slots(1),
      atWork: this.atWork,
    };
  }

  async run(): Promise<ActivationEnd> {
    try {
      return await this.untilIdle();
    } catch (error) {
      await Promise.all(this.atWork.values());
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
        if (end.kind !== 'go-on') return end;
      } catch (error) {
        if (!isTrouble(error)) throw error;
      }
      if (this.activated.held.signal.aborted) throw trouble;
      await pause(GIVE_BACK_AGAIN_MS);
    }
  }

  private async untilIdle(): Promise<ActivationEnd> {
    for (;;) {
      const next = await this.attend(() => this.turn());
      if (next.kind === 'go-on') continue;
      // What is still at work will hear from its own commit that the run is not ours.
      await Promise.all(this.atWork.values());
      return next;
    }
  }

  /** Begins what is due, and waits for the first that ends. */
  private async turn(): Promise<Next> {
    const { held } = this.activated;
    if (this.activated.outdated) return this.reload();
    const due = this.due();
    if (!held.signal.aborted && !this.parts.isStopping()) this.begin(due);
    if (this.atWork.size === 0)
      return held.signal.aborted && !this.parts.isStopping() ? LOST : this.rest(due);
    const ended = await this.firstOf(due);
    if (ended === undefined) return GO_ON;
    this.atWork.delete(ended.name);
    if ('error' in ended) throw ended.error;
    if (ended.tried === 'ended') return { kind: 'ended' };
    return ended.tried === 'again' ? this.reload() : GO_ON;
  }

  /** What is due, that is at work already included; each with the time until its next move. */
  private due(): DueWork[] {
    const { definition, claim } = this.activated;
    const since = performance.now() - this.readAtMs;
    const steps = dueSteps(definition, claim.run, claim.steps).map((step): DueWork => {
      const record = laterBy(recordOf(claim, step), since);
      const { name } = step;
      const waitMs = waitOf(step, record);
      return {
        kind: 'step',
        name,
        step: withTimeLeft(step, record),
        record,
        move: nextMove(step, record),
        waitMs,
      };
    });
    const [first] = toUndo(definition, claim.run, claim.steps);
    if (first === undefined) return steps;
    const undoing = { ...first, record: laterBy(first.record, since), undo: laterBy(first.undo, since) };
    const { compensation, name } = first.step;
    const waitMs = waitOfUndo(undoing);
    return [...steps, { kind: 'undo', name: compensation?.name ?? name, undoing, waitMs }];
  }

  private begin(due: readonly DueWork[]): void {
    for (const work of due) {
      if (work.waitMs > 0 || this.atWork.has(work.name) || this.atWork.size >= AT_WORK_MAX) continue;
      // What has been left open may still be at work here.
      if (work.kind === 'undo' && this.atWork.has(work.undoing.step.name)) continue;
      const { name } = work;
      // Known to be at work before its first line runs: its own close counts what is.
      const begun = Promise.resolve().then(() => this.parts.attempts.make(this.activated, work));
      this.atWork.set(
        name,
        begun.then(
          (tried) => ({ name, tried }),
          (error: unknown) => ({ name, error }),
        ),
      );
    }
  }

  /** The first work that ends, or nothing: the time of other work has come. */
  private async firstOf(due: readonly DueWork[]): Promise<Awaited<UnderWay> | undefined> {
    const waits = due.filter(({ name }) => !this.atWork.has(name)).map(({ waitMs }) => waitMs);
    const soonest = Math.min(...waits.filter((waitMs) => waitMs > 0));
    if (soonest === Number.POSITIVE_INFINITY) return Promise.race(this.atWork.values());
    const waiting = new AbortController();
    const woken = pause(Math.min(soonest, WAIT_MAX_MS), undefined, { signal: waiting.signal }).catch(
      () => undefined,
    );
    try {
      return await Promise.race([...this.atWork.values(), woken]);
    } finally {
      waiting.abort();
    }
  }

  /** Nothing is at work here: the run is given back, with the status that follows if nothing is due either. */
  private async rest(due: readonly DueWork[]): Promise<Next> {
    if (due.length > 0) {
      const soonest = Math.min(...due.map(({ waitMs }) => waitMs));
      return this.release(this.parts.isStopping() ? 0 : soonest);
    }
    const { definition, claim, held } = this.activated;
    const { run, steps } = claim;
    const after =
      run.status === 'compensating'
        ? afterUndo(definition, run, steps)
        : restingOrRunning(definition, run, steps);
    if (after.status === run.status) return this.release(null);
    crashPoint('undo.before-end');
    const settled = await this.parts.transactions.run(async (tx) => {
      const answer = await settleRun(tx, { run, fencingToken: held.fencingToken }, after);
      // What waits with a run that has ended is late now.
      if (answer === 'settled' && run.parkedCount > 0) await this.parts.closer.decideParked(tx, run.id);
      return answer;
    });
    if (settled === 'changed') return this.reload();
    return settled === 'settled' ? { kind: 'ended' } : LOST;
  }

  private async release(dueInMs: number | null): Promise<Next> {
    const { claim, held } = this.activated;
    crashPoint('activation.before-release');
    const { id, revision } = claim.run;
    const released = await this.parts.transactions.run((tx) =>
      release(tx, { id, fencingToken: held.fencingToken, revision }, dueInMs),
    );
    if (released.kind === 'released') return { kind: 'released', dueInMs, dispatch: released.dispatch };
    return released.kind === 'changed' ? this.reload() : LOST;
  }

  /** Looks at the run again under its token: an event may have moved it. */
  private async reload(): Promise<Next> {
    const { held } = this.activated;
    const claim = await this.parts.transactions.run((tx) => readClaimed(tx, held.runId, held.fencingToken));
    if (claim === undefined) return LOST;
    this.readAtMs = performance.now();
    this.activated.claim = claim;
    this.activated.outdated = false;
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
    if (token === undefined) return LOST;
    held.fencingToken = token;
    return this.reload();
  }
}

/** Longest time that Node's timers can wait. */
const WAIT_MAX_MS = 2 ** 31 - 1;
