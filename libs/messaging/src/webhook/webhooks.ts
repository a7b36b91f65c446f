import {
  CommitUnknownError,
  type Json,
  PawlError,
  sqlErrorKind,
  statement,
  type Transaction,
  type Transactions,
} from '@pawl/core';
import { handled } from '../exchange/handled.js';
import type { WebhookHandling } from './webhook.js';

/** A verified webhook. */
export interface ReceivedWebhook {
  readonly source: string;
  readonly id: string;
  readonly payload: Json;
  readonly retentionMs: number;
}

export interface WebhookLimits {
  /** How long a handler may take. Milliseconds. */
  readonly handlerTimeoutMs: number;
  /** How long a webhook waits for its twin that is in progress. Milliseconds. */
  readonly twinWaitMs: number;
}

/** Lets each webhook take effect once within the retention of its source: its id is kept in the transaction of the effect. */
export class Webhooks {
  constructor(
    private readonly transactions: Transactions,
    private readonly limits: WebhookLimits,
  ) {}

  /** @throws WebhookInProgressError, or what the handler has thrown: nothing is kept, and the same may come again */
  async accept(webhook: ReceivedWebhook, handle: WebhookHandling): Promise<'new' | 'duplicate'> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.transactions.run((tx) => this.acceptIn(tx, webhook, handle), {
          lockTimeoutMs: this.limits.twinWaitMs,
        });
      } catch (error) {
        // Its id is there, or it never will be: claiming it again waits for the doubtful transaction and finds out.
        if (!(error instanceof CommitUnknownError) || attempt === COMMIT_ATTEMPTS_MAX) throw error;
      }
    }
  }

  private async acceptIn(
    tx: Transaction,
    { source, id, payload, retentionMs }: ReceivedWebhook,
    handle: WebhookHandling,
  ): Promise<'new' | 'duplicate'> {
    const claimed = await claim(tx, [source, id, retentionMs]);
    if (!claimed) return 'duplicate';
    await handled(tx, this.limits.handlerTimeoutMs, `webhooks of ${source}`, (manager) =>
      handle(payload, { source, id, manager, tx }),
    );
    return 'new';
  }
}

const COMMIT_ATTEMPTS_MAX = 3;

async function claim(tx: Transaction, values: readonly unknown[]): Promise<boolean> {
  try {
    return (await tx.query(CLAIM, values)).length > 0;
  } catch (error) {
    if (sqlErrorKind(error) === 'busy') throw new WebhookInProgressError();
    throw error;
  }
}

// Two twins at once: the second insert waits for the first transaction, and then conflicts with its row or takes its place. An expired row counts as none.
const CLAIM = statement(
  'webhook_claim',
  `insert into pawl.webhook as w (source, id, expires_at)
   values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
   on conflict (source, id) do update set received_at = clock_timestamp(), expires_at = excluded.expires_at
     where w.expires_at <= clock_timestamp()
   returning 1`,
);

/** HTTP: 409 with Retry-After. */
export class WebhookInProgressError extends PawlError {
  constructor() {
    super('request_in_progress', 'The same webhook is being handled right now: send it again in a moment.');
  }
}
