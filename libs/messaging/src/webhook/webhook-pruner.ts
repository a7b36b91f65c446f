import { type Duty, statement, type Transactions } from '@pawl/core';

/** Removes ids whose retention is over, a bounded batch per pass. */
export class WebhookPruner implements Duty {
  readonly name = 'webhook-pruner';
  readonly everyMs = 60_000;
  private readonly batchMax: number;

  constructor(
    private readonly transactions: Transactions,
    { batchMax = 1_000 }: { readonly batchMax?: number } = {},
  ) {
    this.batchMax = batchMax;
  }

  async pass(): Promise<number> {
    const pruned = await this.transactions.run((tx) => tx.query(PRUNE, [this.batchMax]));
    return pruned.length;
  }
}

// Skips rows that a webhook is claiming again, and so never makes one wait.
const PRUNE = statement(
  'webhook_prune',
  `delete from pawl.webhook where (source, id) in (
     select source, id from pawl.webhook where expires_at <= clock_timestamp()
     order by expires_at limit $1 for update skip locked)
   returning 1`,
);
