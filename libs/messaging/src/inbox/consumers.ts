import type { Envelope } from '../envelope.js';
import type { MessageConsumer } from './message-consumer.js';

/** Who handles which message type. Several consumers of one type are handled in one transaction: all of them or none. */
export class Consumers {
  private readonly byType = new Map<string, MessageConsumer[]>();

  /** Registers a consumer for message types, by wire name; again for the same type does nothing. */
  register(types: Iterable<string>, consumer: MessageConsumer): void {
    for (const type of types) {
      const consumers = this.byType.get(type) ?? [];
      if (!consumers.includes(consumer)) this.byType.set(type, [...consumers, consumer]);
    }
  }

  get types(): string[] {
    return [...this.byType.keys()].sort();
  }

  of(type: string): readonly MessageConsumer[] {
    return this.byType.get(type) ?? [];
  }

  /** Those of them that are to be called for this message, in no transaction. */
  outside(envelope: Envelope): readonly MessageConsumer[] {
    if (envelope.guarantee === undefined) return [];
    return this.of(envelope.type).filter((consumer) => consumer.callable?.(envelope) === true);
  }

  /** The messages of a batch for each consumer, in their order. */
  share(envelopes: readonly Envelope[]): Map<MessageConsumer, Envelope[]> {
    const shares = new Map<MessageConsumer, Envelope[]>();
    for (const envelope of envelopes) {
      for (const consumer of this.of(envelope.type)) {
        const share = shares.get(consumer);
        if (share === undefined) shares.set(consumer, [envelope]);
        else share.push(envelope);
      }
    }
    return shares;
  }
}
