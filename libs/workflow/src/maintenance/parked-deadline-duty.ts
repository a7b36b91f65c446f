import type { Duty, Transactions } from '@pawl/core';
import { expireParked } from '../store/parked-events.js';

const BATCH_MAX = 200;

/** Makes dead letters of events that have been early for longer than their handler allows. */
export class ParkedDeadlineDuty implements Duty {
  readonly name = 'parked-deadlines';

  constructor(
    private readonly transactions: Transactions,
    readonly everyMs: number,
  ) {}

  async pass(): Promise<number> {
    return this.transactions.run((tx) => expireParked(tx, BATCH_MAX));
  }
}
