import type { Delivery, Receive, Subscription, Transport } from '../transport/transport.js';
import { KeyRing } from './key-ring.js';
import type { MessageKey } from './message-key.js';
import { openSealed, type RefusalReason, seal, type SealedDelivery } from './seal.js';
import type { Seals } from './seals.js';
import { stamped, type WireVersion } from './wire-version.js';

export interface SealingOptions {
  readonly service: string;
  readonly keys: readonly MessageKey[];
  /** In which version deliveries are written. */
  readonly wireVersion: WireVersion;
  /** Told of each delivery that was refused: to count it and, seldom, to say so. It is stored nowhere. */
  readonly onRefused: (reason: RefusalReason) => void;
}

/**
 * Signs what goes out over another transport, each time it does, and lets in only what is signed by the service it says it is from, for this one.
 * A copy of a valid delivery is valid at any time: the inbox drops it by its number, not by its age.
 */
export class SealingTransport implements Transport, Seals {
  private readonly ring: KeyRing;

  constructor(
    private readonly transport: Transport,
    private readonly options: SealingOptions,
  ) {
    this.ring = new KeyRing(options.service, options.keys);
  }

  async publish(destination: string, deliveries: readonly Delivery[]): Promise<void> {
    await this.transport.publish(destination, this.seal(destination, deliveries));
  }

  async backlog(destination: string): Promise<number> {
    return this.transport.backlog(destination);
  }

  async consume(service: string, receive: Receive): Promise<Subscription> {
    return this.transport.consume(service, async (deliveries, repeated) => {
      const contents = this.open(deliveries);
      if (contents.length > 0) await receive(contents, repeated);
    });
  }

  async close(): Promise<void> {
    await this.transport.close();
  }

  seal(destination: string, deliveries: readonly Delivery[]): SealedDelivery[] {
    const direction = { from: this.options.service, to: destination };
    const { wireVersion } = this.options;
    return deliveries.map((delivery) => seal(stamped(delivery, wireVersion), this.ring, direction));
  }

  open(deliveries: readonly unknown[]): unknown[] {
    return deliveries.flatMap((delivery) => this.openOne(delivery));
  }

  private openOne(delivery: unknown): unknown[] {
    const opened = openSealed(delivery, this.ring, this.options.service);
    if ('content' in opened) return [opened.content];
    this.options.onRefused(opened.refused);
    return [];
  }
}
