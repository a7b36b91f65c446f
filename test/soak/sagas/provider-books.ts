/** What a step or a compensation asks of the provider. */
export interface Wanted {
  readonly act: 'make' | 'undo' | 'find';
  readonly run: string;
  /** The effect: `flight`, `rooms/2`. */
  readonly what: string;
  /** The idempotency key under which the effect is made. */
  readonly key: string;
  /** Of an undo: what the compensation was told. */
  readonly told?: 'done' | 'unknown';
  readonly sentAtMs: number;
}

/** One thing that has happened. */
export interface Entry {
  readonly act: 'make' | 'undo';
  readonly run: string;
  readonly what: string;
  readonly key: string;
  readonly atMs: number;
}

/** What happened, in order; and what must not have. */
export class ProviderBooks {
  readonly entries: Entry[] = [];
  /** How often each mail went out: there is no key that would hold a second one back. */
  readonly mails = new Map<string, number>();
  readonly wrong: string[] = [];
  private readonly made = new Set<string>();
  private readonly undone = new Set<string>();
  /** Undone without having been made: it must not be made after that. */
  private readonly barred = new Set<string>();

  has({ act, key, what }: Wanted): boolean {
    if (what === 'mail') return false;
    return act === 'undo' ? this.undone.has(key) : this.made.has(key);
  }

  enter({ act, run, what, key, told }: Wanted & { readonly act: Entry['act'] }): void {
    const entry = { act, run, what, key, atMs: Date.now() };
    if (what === 'mail') {
      this.mails.set(key, (this.mails.get(key) ?? 0) + 1);
      this.entries.push(entry);
    } else if (act === 'make') this.make(entry);
    else this.undo(entry, told);
  }

  of(run: string): readonly Entry[] {
    return this.entries.filter((entry) => entry.run === run);
  }

  private make(entry: Entry): void {
    const { key, run, what } = entry;
    if (this.made.has(key)) {
      if (this.undone.has(key)) this.wrong.push(`${run}: ${what} is asked for again after it was undone`);
      return;
    }
    if (this.barred.has(key)) this.wrong.push(`${run}: ${what} happens after it was undone`);
    this.made.add(key);
    this.entries.push(entry);
  }

  private undo(entry: Entry, told: Wanted['told']): void {
    const { key, run, what } = entry;
    if (!this.made.has(key)) {
      if (told !== 'unknown') this.wrong.push(`${run}: ${what} is undone as done, and never happened`);
      this.barred.add(key);
      return;
    }
    if (this.undone.has(key)) return;
    this.undone.add(key);
    this.entries.push(entry);
  }
}
