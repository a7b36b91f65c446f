import type { Delivery, Receive, Subscription, Transport } from '@pawl/messaging';

/** What an unruly transport has done, so that a test can prove that it did. */
export interface Unruliness {
  repeated: number;
  lost: number;
}

/**
 * Repeats, loses and shuffles what passes, by a seeded generator: of the messages and of the acknowledgements alike. What is lost is
 * lost once in a while only, so that a test ends.
 */
export class UnrulyTransport implements Transport {
  readonly done: Unruliness = { repeated: 0, lost: 0 };

  constructor(
    private readonly transport: Transport,
    private readonly random: () => number,
  ) {}

  async publish(destination: string, deliveries: readonly Delivery[]): Promise<void> {
    const copies = deliveries.flatMap((delivery) => Array<Delivery>(this.copies()).fill(delivery));
    const shuffled = copies
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
    const drawn = this.random();
    if (drawn < 0.2) this.done.lost++;
    if (drawn > 0.4) this.done.repeated++;
    return drawn < 0.2 ? 0 : drawn > 0.7 ? 3 : drawn > 0.4 ? 2 : 1;
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
