import { contentDigest, PawlError } from '@pawl/core';

/** What makes two HTTP requests the same one. */
export interface RequestIdentity {
  /** Whose keys these are: a key means nothing outside its scope. */
  readonly scope: string;
  /** The caller's name for the request, from the header `Idempotency-Key`: 1 to 255 printable ASCII characters. */
  readonly key: string;
  /** Digest of method, path and body: a key that comes back with another one is a mistake of the caller. */
  readonly fingerprint: string;
}

/** The part of an HTTP request that is read here; an Express or Fastify request will do. */
export interface HttpRequest {
  readonly method: string;
  /** The path as it was asked for. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: unknown;
}

/**
 * Reads the identity of a request that must carry an idempotency key.
 * @throws IdempotencyKeyMissingError, IdempotencyKeyInvalidError
 */
export function requestIdentity(scope: string, { method, url, headers, body }: HttpRequest): RequestIdentity {
  const header = headers['idempotency-key'];
  if (header === undefined || header === '') throw new IdempotencyKeyMissingError();
  const key = typeof header === 'string' ? unquoted(header) : '';
  if (!KEY.test(key)) throw new IdempotencyKeyInvalidError();
  const [path] = url.split('?');
  return { scope, key, fingerprint: contentDigest([method, path, body ?? null]) };
}

const KEY = /^[\x20-\x7e]{1,255}$/;

/** The draft has the key as a string of RFC 9651, in quotes; most callers leave them out. Both name the same key. */
function unquoted(header: string): string {
  return QUOTED.test(header) ? header.slice(1, -1).replaceAll(/\\(["\\])/g, '$1') : header;
}

const QUOTED = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"$/;

/** HTTP: 400. */
export class IdempotencyKeyMissingError extends PawlError {
  constructor() {
    super(
      'idempotency_key_missing',
      'Send the header Idempotency-Key, with a value of your own that names this request, and repeat the request under the same one.',
    );
  }
}

/** HTTP: 400. */
export class IdempotencyKeyInvalidError extends PawlError {
  constructor() {
    super('idempotency_key_invalid', 'Idempotency-Key is one value of 1 to 255 printable ASCII characters.');
  }
}
