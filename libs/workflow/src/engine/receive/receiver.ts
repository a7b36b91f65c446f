import { invariant, type Transaction } from '@pawl/core';
import type { ArrivingEvent } from '../../model/event.js';
import type { Receipt } from '../../model/verdict.js';
import { addressKey, lockRun, lockRuns, type RunAddress } from '../../store/lock-runs.js';
import type { RunAdvancer } from './run-advancer.js';

/** An event on its way to a run. */
export interface EventDelivery extends RunAddress {
  readonly event: ArrivingEvent;
}

/**
 * Where events come in. Runs in a transaction of Pawl's own, after the entrance has closed the message's number or claimed the idempotency key in it:
 * locks the runs in the order of their ids, then decides. Waits for locks are bounded; nothing is stored when they end in BusyError.
 */
export class Receiver {
  constructor(private readonly advancer: RunAdvancer) {}

  /** Answers a receipt per delivery, in their order. */
  async receive(tx: Transaction, deliveries: readonly EventDelivery[]): Promise<Receipt[]> {
    const receipts = new Map<EventDelivery, Receipt>();
    const locked = await lockRuns(tx, deliveries);
    for (const one of locked) {
      const own = deliveries.filter((delivery) => addressKey(delivery) === addressKey(one.run));
      const answers = await this.advancer.advance(
        tx,
        one,
        own.map(({ event }) => event),
      );
      own.forEach((delivery, n) => {
        const receipt = answers[n];
        if (receipt) receipts.set(delivery, receipt);
      });
    }
    return deliveries.map((delivery) => {
      const receipt = receipts.get(delivery);
      invariant(receipt, 'Every delivery has its receipt', {
        workflow: delivery.workflow,
        key: delivery.key,
      });
      return receipt;
    });
  }

  /** Decides what nobody has decided yet for this run. */
  async decideUndecided(tx: Transaction, address: RunAddress): Promise<void> {
    for (const locked of await lockRuns(tx, [address])) {
      await this.advancer.advance(tx, { ...locked, undecided: true }, []);
    }
  }

  /** Fires the timers of this run that are due. */
  async fireTimers(tx: Transaction, runId: string): Promise<void> {
    const locked = await lockRun(tx, runId);
    if (locked) await this.advancer.advance(tx, { ...locked, timerDue: true }, []);
  }
}
