import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';

/** What a signature covers: `id.timestamp.body`, byte for byte. */
export interface SignedContent {
  readonly id: string;
  /** Seconds since 1970, as text. */
  readonly timestamp: string;
  readonly body: string | Buffer;
}

const VERSION = 'v1';
/** Of a list of signatures, those that are looked at. */
const SIGNATURES_MAX = 4;

/** Signs in the form of Standard Webhooks 1.0: `v1,<base64 of HMAC-SHA256>`. */
export function sign(key: KeyObject, content: SignedContent): string {
  return `${VERSION},${mac(key, content).toString('base64')}`;
}

/** Whether one of the signatures, a list with spaces between them, is this key's for this content. Takes the same time whatever it answers. */
export function verifies(key: KeyObject, content: SignedContent, signatures: string): boolean {
  const right = mac(key, content);
  return signatures
    .split(' ', SIGNATURES_MAX)
    .map((signature) => equals(right, signature))
    .includes(true);
}

function equals(right: Buffer, signature: string): boolean {
  const [version, base64 = ''] = signature.split(',', 2);
  const given = Buffer.from(base64, 'base64');
  return version === VERSION && given.length === right.length && timingSafeEqual(given, right);
}

function mac(key: KeyObject, { id, timestamp, body }: SignedContent): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}
