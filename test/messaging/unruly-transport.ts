import type { Delivery, Receive, Subscription, Transport } from '@pawl/messaging';

/** What an unruly transport has done, so that a test can prove that it did. */
export interface Unruliness {
  repeated: number;
  lost: number;
  late: number;
}

/** How often each fault befalls a delivery, 0 to 1. */
export interface FaultRates {
  readonly lost: number;
  /** Carried two or three times. */
  readonly repeated: number;
  /** A copy is kept back, and goes out with one of the next batches. */
  readonly late: number;
}

const RATES: FaultRates = { lost: 0.2, repeated: 0.6, late: 0 };
const KEPT_BACK_MAX = 1_000;
/** Of the copies that are kept back, how many leave with each batch. */
const LEAVING = 0.2;

/**
 * Repeats, loses and shuffles what passes, by a seeded generator: of the messages and of the acknowledgements alike. What is lost is
 * lost once in a while only, so that a test ends.
 */
export class UnrulyTransport implements Transport {
  readonly done: Unruliness = { repeated: 0, lost: 0, late: 0 };
  private keptBack: { readonly destination: string; readonly delivery: Delivery }[] = [];

  constructor(
    private readonly transport: Transport,
    private readonly random: () => number,
    private readonly rates: FaultRates = RATES,
  ) {}

  async publish(destination: string, deliveries: readonly Delivery[]): Promise<void> {
    const copies = deliveries.flatMap((delivery) => Array<Delivery>(this.copies()).fill(delivery));
    const leaving = [...this.leaving(destination), ...this.inTime(destination, copies)];
    const shuffled = leaving
      .map((delivery) => ({ delivery, place: this.random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ delivery }) => delivery);
    await this.transport.publish(destination, shuffled);
  }

  async backlog(destination: string): Promise<number> {
    return this.transport.backlog(destination);
  }

  async consume(service: string, receive: Receive): Promise<Subscription> {
    return this.transport.consume(service, receive);
  }

  async close(): Promise<void> {
    await this.transport.close();
  }

  private copies(): number {
    const { lost, repeated } = this.rates;
    const drawn = this.random();
    if (drawn < lost) this.done.lost++;
    if (drawn > 1 - repeated) this.done.repeated++;
    return drawn < lost ? 0 : drawn > 1 - repeated / 2 ? 3 : drawn > 1 - repeated ? 2 : 1;
  }

  private leaving(destination: string): Delivery[] {
    const leaves = this.keptBack.map((kept) => kept.destination === destination && this.random() < LEAVING);
    const leaving = this.keptBack.filter((_, n) => leaves[n]).map(({ delivery }) => delivery);
    this.keptBack = this.keptBack.filter((_, n) => !leaves[n]);
    return leaving;
  }

  private inTime(destination: string, copies: readonly Delivery[]): Delivery[] {
    return copies.filter((delivery) => {
      if (this.rates.late === 0 || this.keptBack.length >= KEPT_BACK_MAX || this.random() >= this.rates.late)
        return true;
      this.keptBack.push({ destination, delivery });
      this.done.late++;
      return false;
    });
  }
}

/** mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
