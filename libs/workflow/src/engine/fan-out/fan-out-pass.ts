import { setTimeout as pause } from 'node:timers/promises';
import { ItemsQueue } from '../../machine/steps/items-queue.js';
import type { ItemDue } from '../../machine/steps/items.js';
import type { Activated } from '../activate/activated.js';
import type { FanOutAttempts, ItemsTried } from './fan-out-attempts.js';
import type { FanOutItems } from './fan-out-items.js';

/**
 * - `over`: none is left that could be begun. `given-up`: one has given up, and no other was begun since.
 * - `rest`: all that are left wait, the first of them for so many milliseconds.
 * - `again`: the process is about to stop, or the run has moved or is lost.
 */
export type PassEnd =
  { readonly kind: 'over' | 'given-up' | 'again' } | { readonly kind: 'rest'; readonly waitMs: number };

export interface PassOptions {
  readonly isStopping: () => boolean;
  /** Whether one that gives up ends the pass. */
  readonly stopsAtFailure: boolean;
  readonly onDone: (indexes: readonly number[]) => void;
  readonly onFailed: (index: number) => void;
  /** A person has to say what came of it. */
  readonly onDoubt: (index: number) => void;
}

/** Items that share one transaction. */
const TOGETHER_MAX = 16;

/** Items known here and not over: beyond it none is begun before one of them is. So a step whose items all fail does not fill the memory. */
const KNOWN_MAX = 2_000;

/**
 * One pass over the items of a step that this process holds: some of them are at work at a time, and one that waits for its next attempt holds up no
 * other. Each piece of work ends in a commit of its own, so whatever happens to this process, what it has not committed has not happened.
 */
export class FanOutPass {
  private readonly queue = new ItemsQueue();
  private readonly atWork = new Set<Promise<void>>();
  private moreToCome = true;
  private doubted = 0;
  private stopped: 'given-up' | 'again' | undefined;
  private trouble: { readonly error: unknown } | undefined;

  constructor(
    private readonly activated: Activated,
    private readonly items: FanOutItems,
    private readonly attempts: FanOutAttempts,
    private readonly options: PassOptions,
  ) {}

  /**
   * Works until no item can be begun, and none is at work.
   * @param open items that were begun by an earlier claim, and are not over
   * @throws CommitUnknownError, and trouble that is not the items' fault
   */
  async run(open: readonly ItemDue[]): Promise<PassEnd> {
    for (const item of open) this.keep(item);
    for (;;) {
      await this.fill();
      this.begin();
      if (this.atWork.size === 0) return this.end();
      await this.firstOf();
    }
  }

  private goesOn(): boolean {
    if (this.stopped !== undefined || this.trouble !== undefined) return false;
    const { held } = this.activated;
    return !held.signal.aborted && !this.options.isStopping() && this.items.goesOn();
  }

  private async fill(): Promise<void> {
    const { concurrency } = this.items;
    const wanted = concurrency * (this.together() ? TOGETHER_MAX : 1);
    if (!this.goesOn() || !this.moreToCome || this.queue.readyCount >= wanted) return;
    if (this.queue.size + this.doubted >= KNOWN_MAX) return;
    try {
      const found = await this.items.more(wanted);
      this.moreToCome = found.length > 0;
      for (const item of found) this.keep(item);
    } catch (error) {
      this.trouble ??= { error };
    }
  }

  /** Sorts in what is known of an item. */
  private keep(item: ItemDue): void {
    if (item.record?.status === 'in_doubt') {
      this.doubted++;
      return this.options.onDoubt(item.index);
    }
    const waitMs = this.items.waitOf(item);
    if (waitMs > 0) this.queue.wait(item, performance.now() + waitMs);
    else if (item.record || this.items.moveOf(item) !== 'attempt') this.queue.addApart([item]);
    else this.queue.add([item]);
  }

  private together(): boolean {
    return this.items.together && !this.activated.oneByOne;
  }

  private begin(): void {
    const { concurrency } = this.items;
    while (this.goesOn() && this.atWork.size < concurrency) {
      // The last ones are spread, so that none waits behind a slow one while others have nothing to do.
      const share = Math.ceil(this.queue.readyCount / concurrency);
      const most = this.together() ? Math.min(TOGETHER_MAX, Math.max(1, share)) : 1;
      const [first, ...others] = this.queue.take(performance.now(), most);
      if (first === undefined) return;
      const work: Promise<void> = this.work([first, ...others]).finally(() => this.atWork.delete(work));
      this.atWork.add(work);
    }
  }

  private async work(portion: readonly [ItemDue, ...ItemDue[]]): Promise<void> {
    try {
      await this.settle(await this.attempts.make(this.activated, this.items, portion));
    } catch (error) {
      this.trouble ??= { error };
    }
  }

  private async settle(tried: ItemsTried): Promise<void> {
    switch (tried.kind) {
      case 'done':
        this.queue.giveBack(tried.left);
        return this.options.onDone(tried.items.map(({ index }) => index));
      case 'lost':
        return this.options.onFailed(tried.item.index);
      case 'apart':
        return this.queue.addApart(tried.items);
      case 'refused':
        this.stopped ??= 'again';
        return undefined;
      case 'look':
        return this.look(tried.item);
    }
  }

  private async look(item: ItemDue): Promise<void> {
    const now = await this.items.now(item);
    const status = now?.record?.status;
    if (now === undefined) this.stopped ??= 'again';
    else if (status === 'failed') {
      this.options.onFailed(now.index);
      if (this.options.stopsAtFailure) this.stopped ??= 'given-up';
    } else if (status === 'done') this.options.onDone([now.index]);
    // Skipped: it turned out that there is nothing to undo.
    else if (status !== 'skipped') this.keep(now);
  }

  private async firstOf(): Promise<void> {
    const soonestMs = this.goesOn() ? this.queue.soonestMs : Number.POSITIVE_INFINITY;
    const waiting = new AbortController();
    const woken =
      soonestMs === Number.POSITIVE_INFINITY || this.atWork.size >= this.items.concurrency
        ? []
        : [
            pause(Math.max(1, Math.min(soonestMs - performance.now(), WAIT_MAX_MS)), undefined, {
              signal: waiting.signal,
            }).catch(() => undefined),
          ];
    try {
      await Promise.race([...this.atWork, ...woken]);
    } finally {
      waiting.abort();
    }
  }

  private end(): PassEnd {
    if (this.trouble) throw this.trouble.error;
    if (this.stopped !== undefined) return { kind: this.stopped };
    if (!this.goesOn()) return { kind: 'again' };
    if (this.queue.size === 0) return { kind: 'over' };
    return { kind: 'rest', waitMs: Math.max(0, this.queue.soonestMs - performance.now()) };
  }
}

/** Longest time that Node's timers can wait. */
const WAIT_MAX_MS = 2 ** 31 - 1;
