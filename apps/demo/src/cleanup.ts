import { PawlError } from '@pawl/core';

/** What has to be ended, newest first, on whatever way the demo ends: also while something is just being started. */
export class Cleanup {
  private readonly closers: (() => Promise<void>)[] = [];
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;

  /** Aborts when the end begins: whoever is in the middle of something had better stop. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  /** @throws PawlError `interrupted` once the end has begun: nothing new is to be started then. */
  add(close: () => Promise<void>): void {
    if (this.running) throw new PawlError('interrupted', 'The demo is ending');
    this.closers.push(close);
  }

  /** Opens something and remembers how to close it; the end waits for an opening that is under way. Throws as {@link add} does. */
  async open<T>(open: () => Promise<T>, close: (opened: T) => Promise<void>): Promise<T> {
    if (this.running) throw new PawlError('interrupted', 'The demo is ending');
    const opening = open();
    this.add(() => opening.then(close, () => undefined)); // what could not be opened needs no closing
    return opening;
  }

  /** Ends everything; one that fails does not keep the others from ending. May be called again. */
  async run(): Promise<void> {
    this.running ??= this.closeAll();
    await this.running;
  }

  private async closeAll(): Promise<void> {
    this.ending.abort();
    const errors: unknown[] = [];
    for (let close = this.closers.pop(); close; close = this.closers.pop()) {
      await close().catch((error: unknown) => errors.push(error));
    }
    if (errors.length > 0) throw new AggregateError(errors, 'Not everything could be ended');
  }
}
