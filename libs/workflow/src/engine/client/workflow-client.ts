import { invariant, PawlError, type Transaction, type Transactions } from '@pawl/core';
import type { EntityManager } from 'typeorm';
import type { Hints } from '../../dispatch/hints.js';
import { markOf } from '../../machine/marks.js';
import type { ArrivingEvent } from '../../model/event.js';
import type { Run } from '../../model/run.js';
import type { Receipt } from '../../model/verdict.js';
import { eventReceipt } from '../../store/event-receipt.js';
import { findRun } from '../../store/find-run.js';
import { lockRuns, makeRun, type RunAddress } from '../../store/lock-runs.js';
import { storeUndecided } from '../../store/parked-events.js';
import { arrivingEvent } from '../receive/arriving-event.js';
import type {
  AnswerOf,
  QueryArguments,
  QueryName,
  StatusOf,
  UpdateArguments,
  UpdateName,
  WorkflowClass,
} from './asking-types.js';
import { committedOnce } from './committed-once.js';
import type { Definitions } from '../definitions.js';
import type { Receiver } from '../receive/receiver.js';
import type { RunAdvancer } from '../receive/run-advancer.js';
import { RunQuestions } from './run-questions.js';
import { RunUpdates } from './run-updates.js';
import { RunWaits, type Waited, type WaitOptions } from './run-waits.js';

export type { WorkflowClass };

export interface EventOptions {
  /** The same fact delivered again under its id is the same event. Default: a new id. */
  readonly id?: string;
  /** Who delivers it. Default `client`. */
  readonly source?: string;
}

export interface Started {
  readonly runId: string;
  /** False if the run was there already, with the same input. */
  readonly created: boolean;
}

export interface AskOptions {
  /** The same update asked for again under its id is answered as before, and not made again. At most 200 characters. Default: a new id. */
  readonly id?: string;
  /** A transaction of Pawl's own: the update is made exactly if that transaction commits. */
  readonly tx?: Transaction;
}

/** Starts runs, delivers events, asks runs and waits for them, from anywhere in the application. */
export class WorkflowClient {
  private readonly updates: RunUpdates;
  private readonly questions: RunQuestions;
  private readonly waits: RunWaits;

  constructor(
    private readonly transactions: Transactions,
    private readonly definitions: Definitions,
    private readonly advancer: RunAdvancer,
    private readonly receiver: Receiver,
    private readonly hints: Hints,
  ) {
    const { manager } = transactions.dataSource;
    this.updates = new RunUpdates(transactions, advancer);
    this.questions = new RunQuestions(manager, definitions);
    this.waits = new RunWaits(manager, definitions);
  }

  /**
   * Starts a run with its start event, in the version of the class that is given, also if the process has a newer one. The same key and content
   * again answers the same run (`created: false`), whichever version it has.
   *
   * With `tx`, a transaction of Pawl's own, or `manager`, an open TypeORM transaction of the caller's, the run exists exactly if that
   * transaction commits. With `manager`, a start for whose key events have come before is stored undecided and decided right after commit.
   * @throws StartConflictError: the key was started with other content
   * @throws PawlError `start_rejected`: the content is invalid, or the event starts no run
   * @throws PawlError `not_in_transaction`: the manager has no open transaction, such as `dataSource.manager`
   */
  async start(
    workflowClass: WorkflowClass,
    key: string,
    event: object,
    {
      tx,
      manager,
      ...options
    }: EventOptions & { readonly tx?: Transaction; readonly manager?: EntityManager } = {},
  ): Promise<Started> {
    const address = this.addressOf(workflowClass, key);
    const { version: startVersion } = this.definitions.ofClass(workflowClass);
    const arriving = arrivingEvent(event, { ...options, startVersion });
    if (manager) return this.startIn(manager, address, arriving);
    const receipt = tx
      ? await this.receiveOne(tx, address, arriving)
      : await this.receiveOnce(address, arriving, (one) => started(address, one));
    return started(address, receipt);
  }

  /**
   * Delivers an event and answers what became of it. A verdict is an answer, not an error. With `tx`, a transaction of Pawl's own, it is
   * decided inside it.
   * @throws BusyError, DatabaseUnavailableError, TooManyAwaitedError: nothing was stored
   * @throws CommitUnknownError: it may be stored; deliver it again under the same id
   */
  async deliver(
    workflowClass: WorkflowClass,
    key: string,
    event: object,
    { tx, ...options }: EventOptions & { readonly tx?: Transaction } = {},
  ): Promise<Receipt> {
    const address = this.addressOf(workflowClass, key);
    const arriving = arrivingEvent(event, options);
    return tx ? this.receiveOne(tx, address, arriving) : this.receiveOnce(address, arriving);
  }

  /**
   * Delivers an event inside an open TypeORM transaction of the caller's. It is stored exactly if that transaction commits, undecided: no run is
   * locked, so nothing can deadlock with what else the caller does. It is decided right after commit; the verdict stands in the run's journal.
   * @throws PawlError `not_in_transaction`: the manager has no open transaction, such as `dataSource.manager`
   */
  async deliverIn(
    manager: EntityManager,
    workflowClass: WorkflowClass,
    key: string,
    event: object,
    options: EventOptions = {},
  ): Promise<void> {
    const tx = await this.transactions.join(manager);
    await this.storeFor(tx, this.addressOf(workflowClass, key), arrivingEvent(event, options));
  }

  /** The run as it is now, or undefined. */
  async runOf(workflowClass: WorkflowClass, key: string): Promise<Run | undefined> {
    return findRun(this.transactions.dataSource.manager, this.addressOf(workflowClass, key));
  }

  /**
   * How the run stands, in words for its customer: what the workflow's method `status` says (`@Status()`), or else a {@link PublicStatus}.
   * @throws RunNotFoundError
   * @throws PawlError `version_not_here`: this process does not have the version of the run
   */
  async status<W extends WorkflowClass>(workflowClass: W, key: string): Promise<StatusOf<W>> {
    return (await this.questions.status(this.addressOf(workflowClass, key))) as StatusOf<W>;
  }

  /**
   * Asks a method with `@Query()`: it answers from the newest committed data, in the version of the run. Locks nothing.
   * @throws RunNotFoundError
   * @throws PawlError `query_unknown`: the method is not decorated, or not in the version of the run
   * @throws PawlError `version_not_here`: this process does not have the version of the run
   */
  async query<W extends WorkflowClass, Name extends QueryName<W>>(
    workflowClass: W,
    key: string,
    name: Name,
    ...args: QueryArguments<W, Name>
  ): Promise<AnswerOf<W, Name>> {
    const answer = await this.questions.query(this.addressOf(workflowClass, key), name, args[0 as number]);
    return answer as AnswerOf<W, Name>;
  }

  /**
   * Asks a method with `@Update` to change the run, and answers what it answers, once that is committed. It is made in one transaction under the
   * run's lock, behind what is due with the run: a deadline that has passed beats it.
   * @throws UpdateRefusedError: it is not made, and never will be under this id unless it is asked for again
   * @throws UpdateFailedError: its method is at fault; nothing was changed
   * @throws RunNotFoundError
   * @throws BusyError, DatabaseUnavailableError: it was not made
   * @throws CommitUnknownError: it may be made; ask again under the same id
   */
  async update<W extends WorkflowClass, Name extends UpdateName<W>>(
    workflowClass: W,
    key: string,
    name: Name,
    ...[input, { id, tx } = {}]: UpdateArguments<W, Name, AskOptions>
  ): Promise<AnswerOf<W, Name>> {
    const address = this.addressOf(workflowClass, key);
    return (await this.updates.ask({ ...address, member: name, input, id }, tx)) as AnswerOf<W, Name>;
  }

  /**
   * Waits until the run has ended, or is or was in one of the states of `for`, or needs a person; after `timeout` it answers `timed-out`, and the run
   * goes on. It looks at the run's row, 20 ms after the first time and ever more seldom, once a second at last.
   * @throws RunNotFoundError
   * @throws PawlError `state_unknown`, `invalid_timeout`
   * @throws the reason of `signal`, once it is aborted
   */
  async waitFor(workflowClass: WorkflowClass, key: string, options: WaitOptions): Promise<Waited> {
    return this.waits.until(this.addressOf(workflowClass, key), options);
  }

  /**
   * Starts a run, or finds the one that was started with this content, and waits for it as {@link waitFor} does. To be called again after any error:
   * it waits for the same run.
   * @throws what {@link start} and {@link waitFor} throw
   */
  async startAndWait(
    workflowClass: WorkflowClass,
    key: string,
    event: object,
    { id, source, ...wait }: EventOptions & WaitOptions,
  ): Promise<Waited & Started> {
    const options = { ...(id !== undefined && { id }), ...(source !== undefined && { source }) };
    const started = await this.start(workflowClass, key, event, options);
    return { ...started, ...(await this.waitFor(workflowClass, key, wait)) };
  }

  private addressOf(workflowClass: WorkflowClass, key: string): RunAddress {
    if (key.length === 0 || key.length > KEY_LENGTH_MAX || key.includes('\0')) {
      throw new PawlError('invalid_key', `A run's key is a text of 1 to ${KEY_LENGTH_MAX} characters.`);
    }
    return { workflow: this.definitions.ofClass(workflowClass).workflow, key };
  }

  private async receiveOne(tx: Transaction, address: RunAddress, event: ArrivingEvent): Promise<Receipt> {
    const [receipt] = await this.receiver.receive(tx, [{ ...address, event }]);
    invariant(receipt, 'One event has one receipt');
    return receipt;
  }

  /** In a transaction of its own. After a lost COMMIT reply it looks, under the run's lock, whether the event was decided. */
  private async receiveOnce(
    address: RunAddress,
    event: ArrivingEvent,
    check: (receipt: Receipt) => unknown = () => undefined,
  ): Promise<Receipt> {
    return committedOnce(this.transactions, async (tx, inDoubt) => {
      const decided = inDoubt ? await this.receiptOf(tx, address, event) : undefined;
      const receipt = decided ?? (await this.receiveOne(tx, address, event));
      check(receipt);
      return receipt;
    });
  }

  private async receiptOf(
    tx: Transaction,
    address: RunAddress,
    event: ArrivingEvent,
  ): Promise<Receipt | undefined> {
    const [locked] = await lockRuns(tx, [address]);
    return locked && eventReceipt(tx, locked.run, event);
  }

  /** Locks no row that it has not made; it waits only for another transaction that starts the same key and has not ended. */
  private async startIn(manager: EntityManager, address: RunAddress, event: ArrivingEvent): Promise<Started> {
    const tx = await this.transactions.join(manager);
    const fresh = await makeRun(tx, address);
    if (fresh) {
      const [receipt] = await this.advancer.advance(tx, fresh, [event]);
      invariant(receipt, 'One event has one receipt');
      return started(address, receipt);
    }
    const run = await findRun(manager, address);
    if (run === undefined) throw new StartConflictError(address);
    if (run.state === null) {
      await this.storeFor(tx, address, event);
      return { runId: run.id, created: true };
    }
    if (markOf(run, event.type).digest !== event.digest) throw new StartConflictError(address);
    return { runId: run.id, created: false };
  }

  private async storeFor(tx: Transaction, address: RunAddress, event: ArrivingEvent): Promise<void> {
    await storeUndecided(tx, address, event);
    this.hints.afterCommit(tx, { ...address, eventId: event.id });
  }
}

const KEY_LENGTH_MAX = 512;

/** Why an event did not start a run, in words that say what to do. */
const WHY_NOT: Readonly<Record<string, string>> = {
  'run-not-started':
    'this event starts no run; start it with the one whose @On says `start: true`, and deliver this one.',
};

function started(address: RunAddress, { verdict, rule, detail, runId }: Receipt): Started {
  if (rule === 'started') return { runId, created: true };
  if (rule === 'start-seen') return { runId, created: false };
  if (rule === 'conflicting-content') throw new StartConflictError(address);
  throw new PawlError(
    'start_rejected',
    `Starting ${address.workflow} ${address.key}: ${WHY_NOT[rule] ?? `${verdict} by ${rule}.`} ${detail ?? ''}`.trim(),
    {
      verdict,
      rule,
    },
  );
}

/** The key was started before with other content; nothing was changed (HTTP: 409). */
export class StartConflictError extends PawlError {
  constructor({ workflow, key }: RunAddress) {
    super('start_conflict', `A run of ${workflow} with the key ${key} was started with other content.`, {
      workflow,
      key,
    });
  }
}
