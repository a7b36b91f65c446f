import { v7 } from 'uuid';
import { PAYLOAD_BYTES_MAX } from '../payload.js';
import { isServiceName, streamEnds } from '../route.js';
import type { Delivery } from '../transport/transport.js';
import type { KeyRing } from './key-ring.js';
import { sign, verifies } from './signature.js';

/** A delivery as the bus carries it: the bytes of its JSON and who vouches for them. The first three are those of Standard Webhooks. */
export interface SealedDelivery {
  readonly 'webhook-id': string;
  /** When it was handed to the bus, in seconds since 1970. It grows no stale: a backlog may be days old. */
  readonly 'webhook-timestamp': string;
  /** `v1,<base64>`, several with spaces between them. */
  readonly 'webhook-signature': string;
  /** Id of the key. */
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly body: string;
}

/**
 * Why a delivery is refused:
 * - `unsigned`: it has no seal, or not the form of one. A ghost job of Redis looks like that too.
 * - `wrong_receiver`: signed for another service.
 * - `unknown_key`: of an id that this service does not have for that sender.
 * - `bad_signature`: altered, or signed with another secret.
 * - `foreign_stream`: rightly signed, but it speaks of a stream that is not between these two services.
 */
export type RefusalReason =
  'unsigned' | 'wrong_receiver' | 'unknown_key' | 'bad_signature' | 'foreign_stream';

export type Opened = { readonly content: unknown } | { readonly refused: RefusalReason };

/** Of messages, and of the sets of numbers that sessions speak of. */
const BODY_LENGTH_MAX = 4 * PAYLOAD_BYTES_MAX;
const FIELDS = ['webhook-id', 'webhook-timestamp', 'webhook-signature', 'key', 'from', 'to', 'body'] as const;

/** Seals a delivery for a service. @throws PawlError `message_key_missing` */
export function seal(
  delivery: Delivery,
  ring: KeyRing,
  { from, to }: { from: string; to: string },
): SealedDelivery {
  const { id: keyId, key } = ring.signing(to);
  const body = JSON.stringify(delivery);
  const id = 'id' in delivery ? delivery.id : v7();
  const timestamp = Math.floor(Date.now() / 1_000).toString();
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': sign(key, { id, timestamp, body }),
    key: keyId,
    from,
    to,
    body,
  };
}

/**
 * Opens what the bus brought to a service. Nothing of the body is read before its signature is verified. What has no JSON in it, though rightly
 * signed, has no content. Never throws.
 */
export function openSealed(delivery: unknown, ring: KeyRing, service: string): Opened {
  if (!isSealed(delivery)) return { refused: 'unsigned' };
  const { from, to, key: keyId, body } = delivery;
  if (to !== service) return { refused: 'wrong_receiver' };
  const candidates = ring.verifying(from, keyId);
  if (candidates.length === 0) return { refused: 'unknown_key' };
  const signed = { id: delivery['webhook-id'], timestamp: delivery['webhook-timestamp'], body };
  const right = candidates.find(({ key }) => verifies(key, signed, delivery['webhook-signature']));
  if (right === undefined) return { refused: 'bad_signature' };
  right.keep();
  const content = parsed(body);
  return isBetween(content, from, to) ? { content } : { refused: 'foreign_stream' };
}

function isSealed(delivery: unknown): delivery is SealedDelivery {
  if (delivery === null || typeof delivery !== 'object') return false;
  const fields = delivery as Readonly<Record<string, unknown>>;
  const texts = FIELDS.every((name) => typeof fields[name] === 'string');
  return texts && isServiceName(fields['from']) && (fields['body'] as string).length <= BODY_LENGTH_MAX;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // no content, which is garbage to whoever gets it
  }
}

/** Messages name their stream at the top, whatever speaks about messages one level below. */
function isBetween(content: unknown, from: string, to: string): boolean {
  if (content === null || typeof content !== 'object') return true;
  const parts: unknown[] = 'stream' in content ? [content] : Object.values(content);
  return parts.every((part) => {
    const { stream } = (part ?? {}) as { stream?: unknown };
    if (typeof stream !== 'string') return true;
    const ends = streamEnds(stream);
    return (ends?.from === from && ends.to === to) || (ends?.from === to && ends.to === from);
  });
}
