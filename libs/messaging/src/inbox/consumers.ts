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

  /** Who handles a type in this version. */
  of(type: string, version: number): readonly MessageConsumer[] {
    const consumers = this.byType.get(type) ?? [];
    return consumers.filter((consumer) => consumer.versionsOf?.(type).includes(version) ?? true);
  }

  /** What is handled here, for SQL: types in all versions, and `type@version`. */
  get known(): { readonly types: readonly string[]; readonly versions: readonly string[] } {
    const all = [...this.byType].flatMap(([type, consumers]) =>
      consumers.map((consumer) => ({ type, consumer })),
    );
    const types = all.filter(({ consumer }) => consumer.versionsOf === undefined).map(({ type }) => type);
    const versions = all.flatMap(({ type, consumer }) =>
      (consumer.versionsOf?.(type) ?? []).map((version) => `${type}@${version}`),
    );
    return { types, versions };
  }

  /** Those of them that are to be called for this message, in no transaction. */
  outside(envelope: Envelope): readonly MessageConsumer[] {
    if (envelope.guarantee === undefined) return [];
    return this.of(envelope.type, envelope.dataversion).filter(
      (consumer) => consumer.callable?.(envelope) === true,
    );
  }

  /** The messages of a batch for each consumer, in their order. */
  share(envelopes: readonly Envelope[]): Map<MessageConsumer, Envelope[]> {
    const shares = new Map<MessageConsumer, Envelope[]>();
    for (const envelope of envelopes) {
      for (const consumer of this.of(envelope.type, envelope.dataversion)) {
        const share = shares.get(consumer);
        if (share === undefined) shares.set(consumer, [envelope]);
        else share.push(envelope);
      }
    }
    return shares;
  }
}
