import type { Envelope } from '../envelope.js';
import type { Consumers } from './consumers.js';
import type { MessageConsumer } from './message-consumer.js';

/**
 * Cuts a batch, lowest number first, so that messages of one key reach their consumers in order. Within a wave each consumer gets its
 * messages in their order; so a new wave begins only where the next message of a key has other consumers than the one before it.
 */
export function wavesOf(envelopes: readonly Envelope[], consumers: Consumers): Envelope[][] {
  const waves: Envelope[][] = [];
  let wave: Envelope[] = [];
  let latest = new Map<string, readonly MessageConsumer[]>();
  for (const envelope of envelopes) {
    const own = consumers.of(envelope.type, envelope.dataversion);
    const before = latest.get(envelope.subject);
    if (before !== undefined && !isSame(before, own)) {
      waves.push(wave);
      wave = [];
      latest = new Map();
    }
    if (envelope.keyorder !== undefined) latest.set(envelope.subject, own);
    wave.push(envelope);
  }
  return wave.length === 0 ? waves : [...waves, wave];
}

function isSame(some: readonly MessageConsumer[], others: readonly MessageConsumer[]): boolean {
  return some.length === others.length && some.every((consumer, n) => consumer === others[n]);
}
