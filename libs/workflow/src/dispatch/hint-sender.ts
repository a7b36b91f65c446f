import { Batcher, crashPoint, type Transaction } from '@pawl/core';
import type { Hint, HintChannel, Hints } from './hints.js';

const LANES_MAX = 2;
const BATCH_MAX = 256;

/** Sends hints by natural batching. A hint that can not be sent is dropped: the rescuer finds its run. */
export class HintSender implements Hints {
  private readonly batcher: Batcher<Hint>;

  constructor(
    channel: HintChannel,
    private readonly onLost: (error: unknown, hints: readonly Hint[]) => void,
  ) {
    const flush = async (hints: Hint[]): Promise<void> => {
      try {
        await channel.send(hints);
      } catch (error) {
        this.onLost(error, hints);
      }
    };
    this.batcher = new Batcher(flush, { lanesMax: LANES_MAX, batchMax: BATCH_MAX });
  }

  /** Resolves when all hints so far are sent or dropped. */
  async drained(): Promise<void> {
    await this.batcher.drained();
  }

  afterCommit(tx: Transaction, hint: Hint): void {
    tx.afterCommit(() => this.send(hint));
  }

  send(hint: Hint): void {
    crashPoint('hint.before-send');
    this.batcher.add(hint);
  }
}
