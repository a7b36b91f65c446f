import { crashPoint, statement, type Transaction, type Transactions } from '@pawl/core';
import { recordedError } from '../dead-letter.js';
import type { Envelope } from '../envelope.js';
import { appendLosses, type Loss, lossId } from '../loss.js';
import type { Consumers } from './consumers.js';

export interface OutsideCallsOptions {
  /** How long a call may take. Milliseconds. */
  readonly callTimeoutMs: number;
  readonly onError: (error: unknown, envelopes: readonly Envelope[]) => void;
}

/** How long after its call has timed out a message still counts as under way. Milliseconds. */
const GRACE_MS = 5_000;

/**
 * Calls the handlers of messages whose routes promise less than exactly once: in no transaction, so that they may call others and take
 * long. At least once: first the call, then the mark. At most once: first the mark, and with it a row of the loss ledger, which
 * is taken out when the call has ended well; so a crash in between leaves the row and never a second call.
 */
export class OutsideCalls {
  constructor(
    private readonly transactions: Transactions,
    private readonly consumers: Consumers,
    private readonly options: OutsideCallsOptions,
  ) {}

  /** Whether any consumer of this message is to be called outside. */
  concern(envelope: Envelope): boolean {
    return this.consumers.outside(envelope).length > 0;
  }

  /** Calls them one after the other. @throws what the first one throws that does */
  async make(envelope: Envelope): Promise<void> {
    for (const consumer of this.consumers.outside(envelope)) await consumer.call?.(envelope);
  }

  /** Calls for a message that is marked already, with its row in the loss ledger. Does not throw: what is left stands there. */
  async makeMarked(envelope: Envelope): Promise<void> {
    const id = lossId(envelope);
    crashPoint('inbox.after-mark');
    try {
      const error = await this.make(envelope).then(
        () => undefined,
        (reason: unknown) => recordedError(reason),
      );
      crashPoint('inbox.after-call');
      await this.transactions.run((tx) =>
        error === undefined
          ? tx.query(ENDED_WELL, [id])
          : tx.query(FAILED, [id, `${error.name}: ${error.message}`]),
      );
    } catch (error) {
      // The row stays as it is, `unknown`: that is what it is there for.
      this.options.onError(error, [envelope]);
    }
  }

  /**
   * Does `close`, a transaction that closes a stored message, and calls before or after it, as the message's route promises. In it `mark` is to be
   * called; it answers whether it has closed the message, or somebody else had.
   */
  async around(
    envelope: Envelope,
    close: (mark: (tx: Transaction) => Promise<void>) => Promise<boolean>,
  ): Promise<void> {
    if (envelope.guarantee === 'at-least-once') await this.make(envelope);
    const toMark = envelope.guarantee === 'at-most-once' && this.concern(envelope);
    const closed = await close(async (tx) => {
      if (toMark) await appendLosses(tx, [this.lossOf(envelope)]);
    });
    if (closed && toMark) await this.makeMarked(envelope);
  }

  /** The row that is written with the mark of a message, before it is called. */
  lossOf(envelope: Envelope): Loss {
    return {
      id: lossId(envelope),
      origin: 'message',
      type: envelope.type,
      subject: envelope.subject,
      payload: envelope.data,
      reason: 'unknown',
      messageId: envelope.id,
      underWayMs: this.options.callTimeoutMs + GRACE_MS,
    };
  }
}

const ENDED_WELL = statement('loss_ended_well', `DELETE FROM pawl.loss WHERE id = $1 AND reason = 'unknown'`);

const FAILED = statement(
  'loss_failed',
  `UPDATE pawl.loss SET reason = 'handler-failed', detail = $2, under_way_until = NULL WHERE id = $1 AND reason = 'unknown'`,
);
