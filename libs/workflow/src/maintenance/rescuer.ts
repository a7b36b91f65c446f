import type { Duty } from '@pawl/core';
import type { Worker } from '../engine/activate/worker.js';

/** Runs that one pass takes at most. */
const BATCH_MAX = 32;
/** A run is overdue once its hint has had this long to arrive. */
const OVERDUE_MS = 500;

/**
 * Takes what is due although nobody has come for it: the hint was lost, or the worker died and its lease has run out. It claims into this
 * process's free slots directly, so it needs no queue at all.
 */
export class Rescuer implements Duty {
  readonly name = 'rescuer';

  constructor(
    private readonly worker: Worker,
    readonly everyMs: number,
  ) {}

  async pass(): Promise<number> {
    return this.worker.takeOverdue(OVERDUE_MS, BATCH_MAX);
  }
}
