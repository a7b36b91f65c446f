import type { Random } from './random.js';

export interface ShufflerCounts {
  /** Different deliveries handed in, by destination. */
  taken: Record<string, number>;
  /** Handed in, not yet out for the last time, by destination. */
  pending: Record<string, number>;
  twice: number;
  thrice: number;
  /** Copies that went out after something that had come in later, to the same destination. */
  overtaken: number;
}

export interface Copy<T> {
  readonly value: T;
  readonly destination: string;
  readonly arrival: number;
  readonly dueAt: number;
  readonly last: boolean;
}

const DELAY_MAX_MS = 250;
/** The first of each destination waits longer, so that even the smallest demo sees it overtaken. */
const FIRST_DELAY_MS = 500;

/** Decides for each delivery that it goes out two or three times, and when each copy does. Pure: the caller has the clock. */
export class Shuffler<T> {
  readonly counts: ShufflerCounts = { taken: {}, pending: {}, twice: 0, thrice: 0, overtaken: 0 };
  private readonly random: Random;
  private readonly newest = new Map<string, number>();
  private waiting: Copy<T>[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  take(value: T, destination: string, now: number): void {
    const arrival = (this.counts.taken[destination] ?? 0) + 1;
    this.counts.taken[destination] = arrival;
    this.counts.pending[destination] = (this.counts.pending[destination] ?? 0) + 1;
    const copies = this.copies();
    const delays = Array.from({ length: copies }, () => this.delay(arrival)).sort((a, b) => a - b);
    delays.forEach((delay, n) => {
      this.waiting.push({ value, destination, arrival, dueAt: now + delay, last: n === copies - 1 });
    });
  }

  /** What is to be delivered now, in shuffled order, by destination. Undelivered copies come back by {@link putBack}. */
  due(now: number): ReadonlyMap<string, readonly Copy<T>[]> {
    const due = this.waiting.filter(({ dueAt }) => dueAt <= now);
    this.waiting = this.waiting.filter(({ dueAt }) => dueAt > now);
    const parcels = new Map<string, Copy<T>[]>();
    for (const copy of this.random.shuffled(due)) {
      parcels.set(copy.destination, [...(parcels.get(copy.destination) ?? []), copy]);
    }
    return parcels;
  }

  delivered(copies: readonly Copy<T>[]): void {
    for (const { destination, arrival, last } of copies) {
      const newest = this.newest.get(destination) ?? 0;
      if (arrival < newest) this.counts.overtaken++;
      this.newest.set(destination, Math.max(arrival, newest));
      if (last) this.counts.pending[destination] = (this.counts.pending[destination] ?? 1) - 1;
    }
  }

  putBack(copies: readonly Copy<T>[]): void {
    this.waiting.push(...copies);
  }

  private copies(): number {
    const { twice, thrice } = this.counts;
    const copies = twice === 0 ? 2 : thrice === 0 ? 3 : this.random.between(2, 3);
    if (copies === 2) this.counts.twice++;
    else this.counts.thrice++;
    return copies;
  }

  private delay(arrival: number): number {
    return this.random.between(0, DELAY_MAX_MS) + (arrival === 1 ? FIRST_DELAY_MS : 0);
  }
}
