import { createSecretKey } from 'node:crypto';
import { type Duration, PawlError, RefusedToBootError, toMilliseconds } from '@pawl/core';
import { verifies } from '../integrity/signature.js';

/** A webhook as it came, before anything has looked into it. */
export interface WebhookDelivery {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body, byte for byte. */
  readonly bytes: Buffer;
}

/** How a source shows that a webhook is its own. */
export interface WebhookVerifier {
  /**
   * Answers the id of the delivery: the same each time the source sends the same again, and covered by what was verified.
   * @throws WebhookSignatureInvalidError, WebhookTimestampOutsideError, WebhookHeadersInvalidError
   */
  readonly verify: (delivery: WebhookDelivery) => string | Promise<string>;
  /** How far the signed time may be off. Undefined: there is none, so a copy is recognised for the retention only. Milliseconds. */
  readonly toleranceMs?: number;
}

export interface StandardWebhooksOptions {
  /** `whsec_` and base64 of 24 to 64 bytes, as the source shows them. Several while they are rotated: any of them will do. */
  readonly secrets: readonly string[];
  /** How far the signed time may be off our clock, either way. Default 5 m. */
  readonly tolerance?: Duration;
}

/**
 * Verifies by Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, and `webhook-signature`, an HMAC-SHA256 over both and the bytes.
 * @throws RefusedToBootError `webhook_secrets_invalid`
 */
export function standardWebhooks(
  { secrets, tolerance = '5m' }: StandardWebhooksOptions,
  now: () => number = Date.now,
): WebhookVerifier {
  const toleranceMs = toMilliseconds(tolerance) ?? 0;
  const keys = secrets.map((secret) => Buffer.from(SECRET.exec(secret)?.[1] ?? '', 'base64'));
  const problems = keys.flatMap(({ length }, n) =>
    length < 24 || length > 64 ? [`secrets[${n}] is not whsec_ and the base64 of 24 to 64 bytes`] : [],
  );
  if (keys.length === 0 || keys.length > SECRETS_MAX) problems.push(`secrets are not 1 to ${SECRETS_MAX}`);
  if (toleranceMs < 1) problems.push('tolerance is not positive');
  if (problems.length > 0)
    throw new RefusedToBootError('webhook_secrets_invalid', 'standardWebhooks can not verify:', problems);
  const hmacKeys = keys.map((key) => createSecretKey(key));
  return {
    toleranceMs,
    verify: ({ headers, bytes: body }) => {
      const { id, timestamp, signatures } = standardHeaders(headers);
      // All keys are tried, so the time it takes does not tell which of them was right.
      const right = hmacKeys.map((key) => verifies(key, { id, timestamp, body }, signatures));
      if (!right.includes(true)) throw new WebhookSignatureInvalidError();
      if (Math.abs(now() - Number(timestamp) * 1_000) > toleranceMs) throw new WebhookTimestampOutsideError();
      return id;
    },
  };
}

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const SECRETS_MAX = 4;
/** No dot: it separates what is signed. */
const ID = /^[\x21-\x2d\x2f-\x7e]{1,255}$/;
const TIMESTAMP = /^\d{1,12}$/;
const SIGNATURES_LENGTH_MAX = 1_000;

function standardHeaders(headers: WebhookDelivery['headers']) {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (typeof id !== 'string' || !ID.test(id)) throw new WebhookHeadersInvalidError('webhook-id');
  if (typeof timestamp !== 'string' || !TIMESTAMP.test(timestamp))
    throw new WebhookHeadersInvalidError('webhook-timestamp');
  if (typeof signatures !== 'string' || signatures.length > SIGNATURES_LENGTH_MAX)
    throw new WebhookHeadersInvalidError('webhook-signature');
  return { id, timestamp, signatures };
}

/** HTTP: 401. */
export class WebhookSignatureInvalidError extends PawlError {
  constructor() {
    super('webhook_signature_invalid', 'The signature is not that of the source over these bytes.');
  }
}

/** HTTP: 401. */
export class WebhookTimestampOutsideError extends PawlError {
  constructor() {
    super(
      'webhook_timestamp_outside',
      'The signed time is too far off: this is an old copy, or a clock is wrong.',
    );
  }
}

/** HTTP: 400. */
export class WebhookHeadersInvalidError extends PawlError {
  constructor(header: string) {
    super('webhook_headers_invalid', `The header ${header} is missing or malformed.`, { header });
  }
}
