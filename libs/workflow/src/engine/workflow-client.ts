import {
  CommitUnknownError,
  invariant,
  isTrouble,
  PawlError,
  type Transaction,
  type Transactions,
} from '@pawl/core';
import type { EntityManager } from 'typeorm';
import type { Hints } from '../dispatch/hints.js';
import { markOf } from '../machine/marks.js';
import type { ArrivingEvent } from '../model/event.js';
import type { Run } from '../model/run.js';
import type { Receipt } from '../model/verdict.js';
import { eventReceipt } from '../store/event-receipt.js';
import { findRun } from '../store/find-run.js';
import { lockRuns, makeRun, type RunAddress } from '../store/lock-runs.js';
import { storeUndecided } from '../store/parked-events.js';
import { arrivingEvent } from './arriving-event.js';
import type { Definitions } from './definitions.js';
import type { Receiver } from './receiver.js';
import type { RunAdvancer } from './run-advancer.js';

/** Any class decorated with a workflow's `@Workflow()`. */
export type WorkflowClass = abstract new (...args: never[]) => object;

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

/** Starts runs, delivers events and looks at runs, from anywhere in the application. */
export class WorkflowClient {
  constructor(
    private readonly transactions: Transactions,
    private readonly definitions: Definitions,
    private readonly advancer: RunAdvancer,
    private readonly receiver: Receiver,
    private readonly hints: Hints,
  ) {}

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
    for (let attempt = 1; ; attempt++) {
      const inDoubt = attempt > 1;
      try {
        return await this.transactions.run(async (tx) => {
          const decided = inDoubt ? await this.receiptOf(tx, address, event) : undefined;
          const receipt = decided ?? (await this.receiveOne(tx, address, event));
          check(receipt);
          return receipt;
        });
      } catch (error) {
        if (error instanceof CommitUnknownError && attempt < COMMIT_ATTEMPTS_MAX) continue;
        // An earlier COMMIT is still in doubt: nobody may say that nothing was stored.
        if (inDoubt && isTrouble(error)) throw new CommitUnknownError(error);
        throw error;
      }
    }
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
const COMMIT_ATTEMPTS_MAX = 3;

function started(address: RunAddress, { verdict, rule, detail, runId }: Receipt): Started {
  if (rule === 'started') return { runId, created: true };
  if (rule === 'start-seen') return { runId, created: false };
  if (rule === 'conflicting-content') throw new StartConflictError(address);
  throw new PawlError(
    'start_rejected',
    `Starting ${address.workflow} ${address.key}: ${verdict} by ${rule}. ${detail ?? ''}`.trim(),
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
