export { Batcher } from './batcher.js';
export { canonicalJson, contentDigest, type Json } from './canonical-json.js';
export { crashPoint, onCrashPoint } from './crash-point.js';
export { type Duration, toMilliseconds } from './duration.js';
export type { Duty } from './maintenance/duty.js';
export { DutyLoop, type DutyErrorListener } from './maintenance/duty-loop.js';
export { InvariantError, invariant, PawlError, RefusedToBootError } from './pawl-error.js';
export { RangeSet } from './range-set.js';
export { Slots } from './slots.js';
export {
  BusyError,
  CommitUnknownError,
  DatabaseUnavailableError,
  isTrouble,
  sqlErrorKind,
  type SqlErrorKind,
  sqlState,
  SwallowedSqlError,
  TransactionEndedError,
} from './transaction/sql-error.js';
export { type Statement, statement } from './transaction/statement.js';
export {
  ManagerRevokedError,
  type Revocable,
  type SqlClient,
  Transaction,
} from './transaction/transaction.js';
export { NotInTransactionError, type TransactionOptions, Transactions } from './transaction/transactions.js';
