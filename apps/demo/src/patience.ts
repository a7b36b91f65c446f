import { PawlError } from '@pawl/core';

/** Gives up when a count has not changed for a while, however long the whole takes. */
export class Patience {
  private readonly lost = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private last = -1;

  constructor(timeoutMs: number) {
    const giveUp = (): void =>
      this.lost.abort(new PawlError('no_progress', `Nothing moved for ${timeoutMs} ms`));
    this.timer = setTimeout(giveUp, timeoutMs);
  }

  /** Aborts when it is over. */
  get signal(): AbortSignal {
    return this.lost.signal;
  }

  look(count: number): void {
    if (count === this.last) return;
    this.last = count;
    this.timer.refresh();
  }

  end(): void {
    clearTimeout(this.timer);
  }
}
