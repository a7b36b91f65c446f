import type { RangeSet } from '@pawl/core';
import { toWire, type WireAcknowledgement } from '../acknowledgement.js';
import { groupBy } from '../group-by.js';
import { streamEnds } from '../route.js';
import type { Delivery, Transport } from '../transport/transport.js';
import type { InboxPartition } from './inbox-stream.js';

/** How long acknowledgements of a partition are gathered: the newest says it all. Milliseconds. */
const GATHER_MS = 100;

/**
 * Tells senders what is stored, a moment after it is. Nothing depends on an acknowledgement that arrives: without it the message comes
 * again, is dropped as a duplicate, and acknowledged again.
 */
export class Acknowledger {
  private readonly due = new Map<string, WireAcknowledgement>();
  private timer: NodeJS.Timeout | undefined;
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly transport: Pick<Transport, 'publish'>,
    private readonly options: { readonly onError: (error: unknown) => void },
  ) {}

  note(partition: InboxPartition, { closed, receiver }: { closed: RangeSet; receiver: string }): void {
    const key = `${partition.stream}/${partition.partition}/${partition.incarnation}`;
    this.due.set(key, toWire({ ...partition, receiver, closed }));
    this.timer ??= setTimeout(() => this.send(), GATHER_MS);
  }

  /** Sends what is gathered, as far as the transport takes it. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.send();
    await this.sending;
  }

  private send(): void {
    this.timer = undefined;
    const acknowledgements = [...this.due.values()];
    this.due.clear();
    this.sending = this.sending.then(() => this.publish(acknowledgements));
  }

  private async publish(acknowledgements: readonly WireAcknowledgement[]): Promise<void> {
    for (const [sender, group] of groupBy(acknowledgements, ({ stream }) => streamEnds(stream)?.from ?? '')) {
      const deliveries: Delivery[] = group.map((acknowledgement) => ({ acknowledgement }));
      await this.transport.publish(sender, deliveries).catch(this.options.onError);
    }
  }
}
