import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { PawlError } from '../pawl-error.js';
import { CallerCommits } from './caller-commits.js';
import {
  BusyError,
  CommitUnknownError,
  DatabaseUnavailableError,
  isNetworkError,
  sqlErrorKind,
  sqlState,
  SwallowedSqlError,
  TransactionEndedError,
} from './sql-error.js';
import { type SqlClient, Transaction } from './transaction.js';

export interface TransactionOptions {
  /** How long a statement waits for a row lock before the transaction gives up as busy. Milliseconds. */
  readonly lockTimeoutMs: number;
  /** The server ends the transaction if it idles this long, so a stopped process can not keep its locks. Milliseconds. */
  readonly idleTimeoutMs: number;
  /** The server cancels a statement that takes longer; 0: never. Milliseconds. */
  readonly statementTimeoutMs: number;
  /** How often work that PostgreSQL gave up (deadlock, serialization failure) is run, in all. */
  readonly attemptsMax: number;
}

const DEFAULTS: TransactionOptions = {
  lockTimeoutMs: 2_000,
  idleTimeoutMs: 10_000,
  statementTimeoutMs: 0,
  attemptsMax: 5,
};

/**
 * Runs work in transactions of the application's DataSource, READ COMMITTED. What returns is committed: the command tag of COMMIT is
 * checked (PostgreSQL answers ROLLBACK, without an error, when a statement had failed and somebody swallowed it).
 *
 * `work` may run more than once (deadlock, serialization failure), each time in a new transaction: it keeps no state outside.
 * @throws BusyError, DatabaseUnavailableError: nothing was committed.
 * @throws CommitUnknownError: look for what would have been written before doing it again.
 */
export class Transactions {
  private readonly options: TransactionOptions;
  private readonly callerCommits: CallerCommits;
  /** Errors of the network that are not this database's. */
  private readonly foreign = new WeakSet<object>();

  constructor(
    readonly dataSource: DataSource,
    options: Partial<TransactionOptions> = {},
  ) {
    this.options = { ...DEFAULTS, ...options };
    this.callerCommits = new CallerCommits(dataSource);
  }

  /**
   * Joins a TypeORM transaction of the caller's own, which the caller commits or rolls back.
   * @throws PawlError `not_in_transaction` for a manager without an open transaction, such as `dataSource.manager`
   */
  async join(manager: EntityManager): Promise<Transaction> {
    const runner = manager.queryRunner;
    if (runner?.isTransactionActive !== true) throw new NotInTransactionError();
    const client = (await runner.connect()) as SqlClient;
    return new Transaction(runner, client, '', (action) => this.callerCommits.after(runner, action));
  }

  async run<T>(
    work: (tx: Transaction) => Promise<T>,
    overrides: Partial<TransactionOptions> = {},
  ): Promise<T> {
    const options = { ...this.options, ...overrides };
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.runOnce(work, options);
      } catch (error) {
        const kind =
          error instanceof CommitUnknownError || this.isForeign(error) ? undefined : sqlErrorKind(error);
        if (kind === 'retry' && attempt < options.attemptsMax) continue;
        if (kind === 'busy') throw new BusyError(error);
        if (kind === 'unavailable') throw new DatabaseUnavailableError(error);
        throw error;
      }
    }
  }

  private isForeign(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.foreign.has(error);
  }

  private async runOnce<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions): Promise<T> {
    const queryRunner = this.dataSource.createQueryRunner();
    let broken: unknown;
    try {
      const client = (await queryRunner.connect()) as SqlClient;
      const committed: (() => void)[] = [];
      broken = new Error('BEGIN has not been answered.');
      const id = await begin(queryRunner, client, options);
      broken = undefined;
      const farewell = farewellOf(client);
      const tx = new Transaction(queryRunner, client, id, (action) => committed.push(action));
      let result: T;
      try {
        result = await work(tx);
        assertOpen(queryRunner, client, farewell);
      } catch (error) {
        broken = await rollback(client);
        // Our own connection was fine: the application has lost another one.
        if (broken === undefined && isNetworkError(error)) this.foreign.add(error as object);
        // A statement after one that had failed: the first error was not let through.
        if (sqlState(error) === '25P02') throw new SwallowedSqlError(error);
        throw broken !== undefined && isNetworkError(error) ? (farewell.error ?? error) : error;
      } finally {
        farewell.forget();
      }
      broken = new Error('COMMIT has not been answered.');
      await commit(client);
      broken = undefined;
      for (const action of committed) action();
      return result;
    } finally {
      await release(queryRunner, broken);
    }
  }
}

/** Sends BEGIN, its limits and the question for its id in one packet; answers the id. */
async function begin(
  queryRunner: QueryRunner,
  client: SqlClient,
  options: TransactionOptions,
): Promise<string> {
  const answers = (await client.query({
    text:
      `BEGIN; SET LOCAL lock_timeout = ${options.lockTimeoutMs}; ` +
      `SET LOCAL idle_in_transaction_session_timeout = ${options.idleTimeoutMs}; ` +
      `SET LOCAL statement_timeout = ${options.statementTimeoutMs}; ` +
      'SELECT pg_current_xact_id()::text AS id',
  })) as unknown as { rows: { id: string }[] }[];
  // TypeORM counts transactions in these two fields; with them set, a nested manager.transaction becomes a savepoint.
  Object.assign(queryRunner, { isTransactionActive: true, transactionDepth: 1 });
  return answers.at(-1)?.rows[0]?.id ?? '';
}

interface Farewell {
  /** Why the server has ended the connection, if it said so while nobody asked it anything. */
  readonly error: unknown;
  forget(): void;
}

/** What is asked after it fails with the news that the connection is gone, and no word why. */
function farewellOf(client: SqlClient): Farewell {
  let first: unknown;
  const listener = (error: unknown): void => void (first ??= error);
  client.on('error', listener);
  return {
    get error() {
      return first;
    },
    forget: () => client.off('error', listener),
  };
}

/** Before COMMIT is sent: a connection that is gone has committed nothing, and a transaction that the work has ended is not there to commit. */
function assertOpen(queryRunner: QueryRunner, client: SqlClient, { error }: Farewell): void {
  if (queryRunner.isReleased) {
    throw new DatabaseUnavailableError(error ?? new Error('The connection was lost.'));
  }
  if (client.getTransactionStatus() === IDLE) throw new TransactionEndedError();
}

/** What the server last said of the connection: outside of a transaction. */
const IDLE = 'I';

async function commit(client: SqlClient): Promise<void> {
  let command: string;
  try {
    ({ command } = await client.query({ text: 'COMMIT' }));
  } catch (error) {
    const state = sqlState(error);
    const isServersNo = state !== undefined && sqlErrorKind(error) !== 'unavailable';
    throw isServersNo ? error : new CommitUnknownError(error);
  }
  if (command !== 'COMMIT') throw new SwallowedSqlError();
}

/** Answers what went wrong with the connection, if anything: such a connection is not used again. */
async function rollback(client: SqlClient): Promise<unknown> {
  try {
    await client.query({ text: 'ROLLBACK' });
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Gives the connection back to the pool, or has it destroyed if its state is in doubt. */
async function release(queryRunner: QueryRunner, broken: unknown): Promise<void> {
  Object.assign(queryRunner, { isTransactionActive: false, transactionDepth: 0 });
  // TypeORM's own release can not say that a connection is broken.
  const releasable = queryRunner as unknown as { releasePostgresConnection(error?: unknown): Promise<void> };
  await releasable.releasePostgresConnection(broken);
}

/** Something that is to commit together with the caller's own writes was given a manager without an open transaction. */
export class NotInTransactionError extends PawlError {
  constructor() {
    super(
      'not_in_transaction',
      'This needs the EntityManager of an open transaction, so that it commits together with what else you write. ' +
        'dataSource.manager has none: use `dataSource.transaction((manager) => ...)` and hand that manager over.',
    );
  }
}
