/**
 * Natural batching: an item goes at once while a lane is free, else it waits with others for the next one. No timer, so no
 * latency when idle and full batches under load.
 */
export class Batcher<Item> {
  private waiting: Item[] = [];
  private lanesBusy = 0;
  private readonly waiters: (() => void)[] = [];

  /** @param flush handles one batch; it must not throw, for nobody awaits it. */
  constructor(
    private readonly flush: (batch: Item[]) => Promise<void>,
    private readonly options: { readonly lanesMax: number; readonly batchMax: number },
  ) {}

  add(item: Item): void {
    this.waiting.push(item);
    void this.run();
  }

  /** Resolves when all that was added is handled. */
  async drained(): Promise<void> {
    if (!this.idle) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  get idle(): boolean {
    return this.lanesBusy === 0 && this.waiting.length === 0;
  }

  private async run(): Promise<void> {
    if (this.lanesBusy >= this.options.lanesMax) return;
    this.lanesBusy++;
    // What is added in the same turn of the event loop goes together.
    await Promise.resolve();
    while (this.waiting.length > 0) await this.flush(this.waiting.splice(0, this.options.batchMax));
    this.lanesBusy--;
    if (this.idle) for (const resolve of this.waiters.splice(0)) resolve();
  }
}
