import type { EntityManager, QueryRunner } from 'typeorm';
import { EntityManager as Manager } from 'typeorm';
import { PawlError } from '../pawl-error.js';
import type { Statement } from './statement.js';

/** The part of pg's client that is used here. */
export interface SqlClient {
  query(config: { name?: string; text: string; values?: readonly unknown[] }): Promise<{
    rows: unknown[];
    rowCount: number | null;
    command: string;
  }>;
  /** The server says why it ends a connection that nobody is asking anything of: only here. */
  on(event: 'error', listener: (error: unknown) => void): unknown;
  off(event: 'error', listener: (error: unknown) => void): unknown;
  /** What the server last said: `I` outside of a transaction, `T` in one, `E` in one that an error has ended. */
  getTransactionStatus(): string | null;
}

/**
 * One open transaction, as Pawl's own code sees it: named statements on the raw client, an EntityManager for users' code
 * on the same connection, and what is to be done once it has committed.
 */
export class Transaction {
  constructor(
    private readonly queryRunner: QueryRunner,
    private readonly client: SqlClient,
    /** `pg_current_xact_id()` at its start: a COMMIT inside gives another one, and closing statements compare. */
    readonly id: string,
    private readonly onCommit: (action: () => void) => void,
  ) {}

  async query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.client.query({ ...statement, values });
    return rows as Row[];
  }

  /** Runs after COMMIT has been confirmed, never when it is in doubt: for hints only, which may be lost. */
  afterCommit(action: () => void): void {
    this.onCommit(action);
  }

  /** An EntityManager on this transaction that can be taken away again; see {@link Revocable}. */
  lend(): Revocable {
    return lend(this.queryRunner);
  }
}

/**
 * An EntityManager for user code. After `revoke` every use of it throws, so that a promise left floating by a step can neither
 * write into the next step's work nor slip in before COMMIT.
 */
export interface Revocable {
  readonly manager: EntityManager;
  readonly revoke: () => void;
}

function lend(queryRunner: QueryRunner): Revocable {
  let revoked = false;
  // An object of its own over the runner: nested transactions count their depth here, and the ways to the server can be shut.
  const lent = Object.create(queryRunner) as QueryRunner;
  for (const method of ['query', 'stream'] as const) {
    const call = queryRunner[method].bind(queryRunner) as (...args: unknown[]) => Promise<unknown>;
    Object.defineProperty(lent, method, {
      value: async (...args: unknown[]): Promise<unknown> => {
        if (revoked) throw new ManagerRevokedError();
        return call(...args);
      },
    });
  }
  const manager = new Manager(queryRunner.dataSource, lent);
  Object.defineProperty(lent, 'manager', { value: manager });
  return {
    manager,
    revoke: () => {
      revoked = true;
    },
  };
}

/** The EntityManager of a step or handler was used after the step or handler had ended. */
export class ManagerRevokedError extends PawlError {
  constructor() {
    super(
      'manager_revoked',
      'This EntityManager belonged to a step or handler that has ended. Await every query before returning.',
    );
  }
}
