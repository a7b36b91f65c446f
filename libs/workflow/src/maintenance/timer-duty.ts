import { BusyError, type Duty, type Transactions } from '@pawl/core';
import type { Definitions } from '../engine/definitions.js';
import type { Receiver } from '../engine/receive/receiver.js';
import { runsWithDueTimers } from '../store/timers.js';
import { eachOf } from './each-of.js';

const BATCH_MAX = 100;

/** Fires timers whose instant has come, each under its run's lock. */
export class TimerDuty implements Duty {
  readonly name = 'timers';

  constructor(
    private readonly transactions: Transactions,
    private readonly definitions: Definitions,
    private readonly receiver: Receiver,
    readonly everyMs: number,
  ) {}

  async pass(signal: AbortSignal): Promise<number> {
    const { known } = this.definitions;
    const runIds = await this.transactions.run((tx) => runsWithDueTimers(tx, known, BATCH_MAX));
    return eachOf(runIds, signal, (runId) => this.fire(runId));
  }

  private async fire(runId: string): Promise<number> {
    try {
      await this.transactions.run((tx) => this.receiver.fireTimers(tx, runId));
      return 1;
    } catch (error) {
      // Whoever has the row fires the timer, or the next pass does.
      if (error instanceof BusyError) return 0;
      throw error;
    }
  }
}
