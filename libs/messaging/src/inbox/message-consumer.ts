import type { Transaction } from '@pawl/core';
import type { Envelope } from '../envelope.js';

/**
 * Handles messages inside the transaction that closes their numbers: its writes and the fact that it has seen them commit together.
 */
export interface MessageConsumer {
  /** For people, in errors: which class this is. */
  readonly name: string;

  /**
   * The versions of a type that it handles. Others are not given to it: a message that nobody here has a version for is stored until a
   * process comes that has it. Absent: all versions.
   */
  versionsOf?(type: string): readonly number[];

  /**
   * Handles messages of one stream partition, of the types it was registered for, lowest number first.
   * Answers the ids that stay open: nothing was written for them, and they come again in a moment. To throw rolls back the whole
   * batch; then each message is tried alone, and one that throws alone spends an attempt. BusyError,
   * DatabaseUnavailableError and LeaveOpenError spend none.
   *
   * It may run more than once for a message (deadlock, batch done again), so it acts through `tx` only. While it runs nothing else of the
   * partition is handled, unless this message is tried `apart`: so it throws soon, if it can not be quick, and takes its time then.
   */
  handle(
    envelopes: readonly Envelope[],
    tx: Transaction,
    how?: { readonly apart: boolean },
  ): Promise<readonly string[]>;

  /**
   * Handles one message of a route that promises at least or at most once, in no transaction. A consumer without it, or one that does not want
   * the message this way, is given it as any other: in the transaction that closes its number, which is exactly once.
   */
  call?(envelope: Envelope): Promise<void>;
  /** Whether `call` is the way for this message. Asked for those of such routes only. */
  callable?(envelope: Envelope): boolean;
}
