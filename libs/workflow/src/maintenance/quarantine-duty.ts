import type { Duty, Transactions } from '@pawl/core';
import { quarantine } from '../store/claims.js';

const BATCH_MAX = 100;

/** Takes runs out of circulation whose claims end again and again without progress: a step that kills its process, most likely. */
export class QuarantineDuty implements Duty {
  readonly name = 'quarantine';

  constructor(
    private readonly transactions: Transactions,
    private readonly claimsMax: number,
    readonly everyMs: number,
  ) {}

  async pass(): Promise<number> {
    return this.transactions.run((tx) => quarantine(tx, this.claimsMax, BATCH_MAX));
  }
}
