import { type Duty, statement, type Transactions } from '@pawl/core';

/** Removes answers whose time is up, a bounded batch per pass. A key that is pruned is free again. */
export class RequestPruner implements Duty {
  readonly name = 'request-pruner';
  readonly everyMs: number;
  private readonly batchMax: number;

  constructor(
    private readonly transactions: Transactions,
    { everyMs = 60_000, batchMax = 1_000 }: { everyMs?: number; batchMax?: number } = {},
  ) {
    this.everyMs = everyMs;
    this.batchMax = batchMax;
  }

  async pass(): Promise<number> {
    const pruned = await this.transactions.run((tx) => tx.query(PRUNE, [this.batchMax]));
    return pruned.length;
  }
}

// Skips rows that a request is claiming again or reading, and so never makes a request wait.
const PRUNE = statement(
  'request_prune',
  `delete from pawl.request where (scope, key) in (
     select scope, key from pawl.request where expires_at <= clock_timestamp()
     order by expires_at limit $1 for update skip locked)
   returning 1`,
);
