/** A counted number of places; who finds none waits in line. */
export class Slots {
  private taken = 0;
  private readonly queue: (() => void)[] = [];

  constructor(readonly max: number) {}

  get free(): number {
    return this.max - this.taken;
  }

  /** Waits its turn; answers the function that gives the slot back, to be called once. */
  async acquire(): Promise<() => void> {
    if (this.taken < this.max) this.taken++;
    else await new Promise<void>((resolve) => this.queue.push(resolve));
    return () => this.giveBack();
  }

  /** Does work in a slot, once there is one. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    const giveBack = await this.acquire();
    try {
      return await work();
    } finally {
      giveBack();
    }
  }

  /** As many as are free now, at most `wanted`. */
  tryAcquire(wanted: number): (() => void)[] {
    const count = Math.max(0, Math.min(wanted, this.free));
    this.taken += count;
    return Array.from({ length: count }, () => () => this.giveBack());
  }

  /** Hands the slot to whoever has waited longest. */
  private giveBack(): void {
    const next = this.queue.shift();
    if (next) next();
    else this.taken--;
  }
}
