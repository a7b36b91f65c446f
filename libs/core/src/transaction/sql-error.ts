import { PawlError } from '../pawl-error.js';

/**
 * What a SQL error means for the transaction it ended.
 * - `retry`: it certainly did not commit and may well succeed if run again (serialization failure, deadlock, lost plan).
 * - `busy`: a lock was not had in time; it did not commit.
 * - `unavailable`: the connection or the server is gone or refuses writes; before COMMIT was sent nothing is committed.
 * - `refused`: the statement itself is at fault (constraint, syntax, privilege).
 */
export type SqlErrorKind = 'retry' | 'busy' | 'unavailable' | 'refused';

const RETRY = new Set(['40001', '40P01', '26000']);
const BUSY = new Set(['55P03']);
const READ_ONLY_OR_FULL = new Set(['25006', '53100', '53200', '53300', '25P03']);
const NETWORK = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

/** Classifies an error thrown by pg or TypeORM by its code; an error without any code came from the connection. */
export function sqlErrorKind(error: unknown): SqlErrorKind | undefined {
  const code = sqlState(error);
  if (code === undefined) return isConnectionError(error) ? 'unavailable' : undefined;
  if (RETRY.has(code)) return 'retry';
  if (BUSY.has(code)) return 'busy';
  if (READ_ONLY_OR_FULL.has(code) || NETWORK.has(code)) return 'unavailable';
  if (code.startsWith('08') || code.startsWith('57P')) return 'unavailable';
  return /^[0-9A-Z]{5}$/.test(code) ? 'refused' : undefined;
}

/** The SQLSTATE or the system's error code, also of the driver's error that TypeORM wraps. */
export function sqlState(error: unknown): string | undefined {
  const { code, driverError } = (error ?? {}) as { code?: unknown; driverError?: unknown };
  if (typeof code === 'string') return code;
  return driverError === undefined ? undefined : sqlState(driverError);
}

/** Whether an error tells of a connection, by whomever: an application's call of another service fails like this, too. */
export function isNetworkError(error: unknown): boolean {
  const code = sqlState(error);
  return code === undefined ? isConnectionError(error) : NETWORK.has(code);
}

/** pg and TypeORM report a lost connection without a code, by these texts only. */
function isConnectionError(error: unknown): boolean {
  const { message = '', name = '' } = (error ?? {}) as { message?: string; name?: string };
  return (
    /^(QueryRunnerAlreadyReleasedError|QueryRunnerProviderAlreadyReleasedError)$/.test(name) ||
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|client is closed|not queryable/i.test(
      message,
    )
  );
}

/** A lock was not had within the bound: nothing was changed, try again in a moment (HTTP: 503 with Retry-After). */
export class BusyError extends PawlError {
  constructor(cause: unknown) {
    super(
      'busy',
      'A row was locked by others for longer than the bound; nothing was changed, try again.',
      {},
      cause,
    );
  }
}

/** The database can not be reached or can not write: nothing was changed, try again later (HTTP: 503). */
export class DatabaseUnavailableError extends PawlError {
  constructor(cause: unknown) {
    super(
      'database_unavailable',
      'PostgreSQL can not be used at the moment; nothing was changed.',
      {},
      cause,
    );
  }
}

/** Whether the database was busy or away: nothing was committed, and the same work may well succeed later. */
export function isTrouble(error: unknown): error is BusyError | DatabaseUnavailableError {
  return error instanceof BusyError || error instanceof DatabaseUnavailableError;
}

/**
 * COMMIT was sent and its answer never came: the transaction is committed or it is not, and only the database knows.
 * Whoever sees this looks for what the transaction would have written before doing it again.
 */
export class CommitUnknownError extends PawlError {
  constructor(cause: unknown) {
    super(
      'commit_unknown',
      'The connection was lost while COMMIT was under way; its outcome is unknown.',
      {},
      cause,
    );
  }
}

/** A SQL error was swallowed inside the transaction, so PostgreSQL rolled it back although nobody threw. */
export class SwallowedSqlError extends PawlError {
  constructor(cause?: unknown) {
    super(
      'sql_error_swallowed',
      'A SQL error was caught and ignored inside the transaction, so PostgreSQL rolled everything back. ' +
        'Let the error propagate, or run the statement that may fail in a nested `manager.transaction(...)` (a savepoint).',
      {},
      cause,
    );
  }
}

/**
 * The work has sent COMMIT or ROLLBACK by itself: what it wrote before stands or is gone, and what it wrote after was in no transaction.
 * Running it again would do that again.
 */
export class TransactionEndedError extends PawlError {
  constructor() {
    super(
      'transaction_ended',
      'The transaction was ended from inside by a COMMIT or ROLLBACK. It belongs to whoever began it: leave its end to them.',
    );
  }
}
