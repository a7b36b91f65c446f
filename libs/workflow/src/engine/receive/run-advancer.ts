import { invariant, type Transaction } from '@pawl/core';
import { appendDeadLetters, appendLosses, type Outbox } from '@pawl/messaging';
import type { Hints } from '../../dispatch/hints.js';
import { advance } from '../../machine/advance.js';
import { toLookUp } from '../../machine/facts.js';
import { madeBefore } from '../../machine/make-update.js';
import { isHeldUp } from '../../machine/position.js';
import type { Change, Undeliverable } from '../../model/change.js';
import type { ArrivingEvent, IncomingEvent } from '../../model/event.js';
import type { Run } from '../../model/run.js';
import type { AskedUpdate, UpdateVerdict } from '../../model/update.js';
import type { Receipt } from '../../model/verdict.js';
import { deleteFreshRun } from '../../store/delete-fresh-run.js';
import { knownContent } from '../../store/known-content.js';
import { assertAwaitedBelow, type LockedRun } from '../../store/lock-runs.js';
import { parkedEvents, storeUndecided, takeUndecided } from '../../store/parked-events.js';
import { takeDueTimers } from '../../store/timers.js';
import { writeChange } from '../../store/write-change.js';
import type { Definitions } from '../definitions.js';
import { undoLeftOpen } from './left-open.js';

export interface AdvanceLimits {
  /** How many runs of a workflow may wait for their start event. */
  readonly awaitedMax: number;
}

/**
 * Carries a locked run forward: what is due or undecided with it is gathered, the pure machine decides, and all that follows is written in the
 * same transaction. Every way into a run ends here: receive, updates, timers, undecided events, the close of a step.
 */
export class RunAdvancer {
  constructor(
    private readonly definitions: Definitions,
    private readonly outbox: Outbox,
    private readonly hints: Hints,
    private readonly limits: AdvanceLimits,
  ) {}

  /**
   * Answers one receipt per event. Where this process does not have the version that decides them, the events are stored undecided, for a process
   * that has it (D22).
   * @throws TooManyAwaitedError
   */
  async advance(
    tx: Transaction,
    locked: LockedRun,
    arriving: readonly ArrivingEvent[],
  ): Promise<readonly Receipt[]> {
    const { run } = locked;
    const events = arriving.map((event): IncomingEvent => ({ ...event, receivedAt: locked.at }));
    if (this.definitions.deciding(run, events)) return (await this.carry(tx, locked, events)).receipts;
    for (const event of events) await storeUndecided(tx, run, event);
    if (locked.fresh) await deleteFreshRun(tx, run.id);
    return events.map(() => undecided(run));
  }

  /** Makes an update, behind what is due or undecided with the run; a refused one has changed nothing. */
  async update(tx: Transaction, locked: LockedRun, asked: AskedUpdate): Promise<UpdateVerdict> {
    const { run } = locked;
    const before = madeBefore(asked);
    if (before) return before;
    if (!this.definitions.deciding(run, [])) return refusedWithoutVersion(run);
    const { updates } = await this.carry(tx, locked, [], [asked]);
    const [verdict] = updates;
    invariant(verdict, 'An update has its verdict', { run: run.id });
    return verdict;
  }

  private async carry(
    tx: Transaction,
    locked: LockedRun,
    events: readonly IncomingEvent[],
    asked: readonly AskedUpdate[] = [],
  ): Promise<Pick<Change, 'receipts' | 'updates'>> {
    const { run } = locked;
    // In one transaction, by their instants: a timer does not overtake an event that came in time (D30).
    const timers = locked.timerDue && !isHeldUp(run) ? await takeDueTimers(tx, run.id) : [];
    // With a timer in hand it is looked again, under the lock: an event may have been stored while this waited for it.
    const earlier =
      locked.undecided || timers.length > 0 ? await takeUndecided(tx, run, this.definitions.known) : [];
    const definition = this.definitions.deciding(run, [...earlier, ...events]);
    invariant(definition, 'Only events of known versions are taken', { run: run.id });
    const parked = run.parkedCount > 0 ? await parkedEvents(tx, run.id) : [];
    const known = await this.lookUp(tx, run, toLookUp(definition, run, [...earlier, ...events, ...parked]));
    const inputs = [...timers, ...earlier, ...events, ...asked];
    const decided = advance(definition, run, { inputs, parked, known });
    const change = await undoLeftOpen(tx, definition, run, decided);
    if (locked.fresh && change.run.status === 'awaited') await this.keepAwaited(tx, change);
    const written = await writeChange(tx, change);
    await this.appendConsequences(tx, change);
    if (written.due) this.hints.afterCommit(tx, { runId: run.id, dispatch: written.dispatch });
    return { receipts: change.receipts.slice(earlier.length), updates: change.updates };
  }

  private async lookUp(
    tx: Transaction,
    run: Run,
    subjects: ReturnType<typeof toLookUp>,
  ): Promise<(type: string, subject: string) => string | undefined> {
    return subjects.length === 0 ? () => undefined : knownContent(tx, run.id, subjects);
  }

  /** A row that this event has made stays only if the event waits there. */
  private async keepAwaited(tx: Transaction, { run, parked }: Change): Promise<void> {
    if (parked.length === 0) await deleteFreshRun(tx, run.id);
    else await assertAwaitedBelow(tx, run.workflow, this.limits.awaitedMax);
  }

  private async appendConsequences(tx: Transaction, change: Change): Promise<void> {
    const { workflow, key } = change.run;
    const undeliverable = (event: Undeliverable) => ({
      origin: 'event' as const,
      workflow,
      runKey: key,
      messageId: event.eventId,
      type: event.type,
      payload: event.payload,
    });
    await appendDeadLetters(
      tx,
      change.deadLetters.map((event) => ({
        ...undeliverable(event),
        version: event.typeVersion,
        source: event.source,
        reason: event.rule,
        ...(event.detail === null ? {} : { rule: event.detail }),
      })),
    );
    await appendLosses(
      tx,
      change.losses.map((event) => ({ ...undeliverable(event), subject: event.subject, reason: event.rule })),
    );
    await this.outbox.append(tx, change.messages);
  }
}

function undecided({ id: runId, key, status, state, version }: Run): Receipt {
  const detail = `version ${version} of the workflow is not known to this process`;
  return { verdict: 'early', rule: 'version-unknown', detail, runId, key, status, state };
}

/** Unlike an event it does not wait for a process that has the version: its caller does. */
function refusedWithoutVersion({ workflow, version }: Run): UpdateVerdict {
  const detail = `this process does not have version ${version} of ${workflow}; ask one that has, or keep its class until its runs have ended`;
  return { verdict: 'refused', rule: 'version-unknown', detail };
}
