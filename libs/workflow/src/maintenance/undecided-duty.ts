import { BusyError, type Duty, type Transactions } from '@pawl/core';
import type { Definitions } from '../engine/definitions.js';
import type { Receiver } from '../engine/receive/receiver.js';
import { type RunAddress, TooManyAwaitedError } from '../store/lock-runs.js';
import { undecidedAddresses } from '../store/parked-events.js';
import { eachOf } from './each-of.js';

const BATCH_MAX = 100;

/**
 * Decides events that were stored in a caller's own transaction, or by a process that had not their version. It polls those rows themselves, for the
 * run that they belong to could not be marked (D26).
 */
export class UndecidedDuty implements Duty {
  readonly name = 'undecided';

  constructor(
    private readonly transactions: Transactions,
    private readonly definitions: Definitions,
    private readonly receiver: Receiver,
    readonly everyMs: number,
  ) {}

  async pass(signal: AbortSignal): Promise<number> {
    const { known } = this.definitions;
    const addresses = await this.transactions.run((tx) => undecidedAddresses(tx, known, BATCH_MAX));
    return eachOf(addresses, signal, (address) => this.decide(address));
  }

  private async decide(address: RunAddress): Promise<number> {
    try {
      await this.transactions.run((tx) => this.receiver.decideUndecided(tx, address));
      return 1;
    } catch (error) {
      // It stays undecided, and the next pass tries again.
      if (error instanceof BusyError || error instanceof TooManyAwaitedError) return 0;
      throw error;
    }
  }
}
