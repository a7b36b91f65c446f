import type { Delivery, Receive, Subscription, Transport } from './transport.js';

/** Deliveries that wait for a service nobody has subscribed for; beyond it they are lost, as a transport may. */
const WAITING_MAX = 10_000;
const HANDED_OUT_MAX = 100;

/** The queues that in-memory transports of one process share. */
export class InMemoryBus {
  private readonly queues = new Map<string, Queue>();

  queue(name: string): Queue {
    let queue = this.queues.get(name);
    if (queue === undefined) this.queues.set(name, (queue = new Queue()));
    return queue;
  }
}

/** For tests and for services that share a process: carries deliveries as JSON through memory. */
export class InMemoryTransport implements Transport {
  private readonly subscriptions: Subscription[] = [];

  constructor(private readonly bus: InMemoryBus) {}

  async publish(destination: string, deliveries: readonly Delivery[]): Promise<void> {
    this.bus.queue(destination).put(deliveries.map((delivery) => JSON.stringify(delivery)));
  }

  async backlog(destination: string): Promise<number> {
    return this.bus.queue(destination).length;
  }

  async consume(service: string, receive: Receive): Promise<Subscription> {
    const subscription = this.bus.queue(service).subscribe(receive);
    this.subscriptions.push(subscription);
    return subscription;
  }

  async close(): Promise<void> {
    await Promise.all(this.subscriptions.map((subscription) => subscription.close()));
  }
}

class Queue {
  private waiting: string[] = [];
  private readonly receivers: Receive[] = [];
  private turn = 0;
  private handing: Promise<void> | undefined;

  get length(): number {
    return this.waiting.length;
  }

  put(deliveries: readonly string[]): void {
    this.waiting.push(...deliveries.slice(0, WAITING_MAX - this.waiting.length));
    this.hand();
  }

  subscribe(receive: Receive): Subscription {
    this.receivers.push(receive);
    this.hand();
    return {
      close: async () => {
        const place = this.receivers.indexOf(receive);
        if (place >= 0) this.receivers.splice(place, 1);
        await this.handing;
      },
    };
  }

  private hand(): void {
    this.handing ??= this.handAll().finally(() => {
      this.handing = undefined;
      if (this.waiting.length > 0 && this.receivers.length > 0) this.hand();
    });
  }

  private async handAll(): Promise<void> {
    // Not within the turn of the publisher: a transport has a life of its own.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0 && this.receivers.length > 0) {
      const deliveries = this.waiting.splice(0, HANDED_OUT_MAX).map((text) => JSON.parse(text) as unknown);
      const receive = this.receivers[this.turn++ % this.receivers.length];
      // Told to nobody, as with a real bus: the receiver's own log has it.
      await receive?.(deliveries, false).catch(() => undefined);
    }
  }
}
