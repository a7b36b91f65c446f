import { createHash, timingSafeEqual } from 'node:crypto';
import { UnauthorizedException } from '@nestjs/common';

/** Fewest characters of a token that guards an endpoint; make it random. */
export const TOKEN_LENGTH_MIN = 32;

/** A text that callers have to send as `Authorization: Bearer ...`. Digests are compared, in constant time, so neither its content nor its length leaks. */
export class BearerToken {
  private readonly digest: Buffer;

  constructor(token: string) {
    this.digest = digestOf(token);
  }

  /** Whether the header names this token. */
  isIn(authorization: string | undefined): boolean {
    const [, token] = BEARER.exec(authorization ?? '') ?? [];
    return token !== undefined && timingSafeEqual(digestOf(token), this.digest);
  }
}

/** The answer to who sends none, or another one. @throws UnauthorizedException always */
export function refuseBearer(response: { setHeader(name: string, value: string): unknown }): never {
  response.setHeader('WWW-Authenticate', 'Bearer');
  throw new UnauthorizedException({
    code: 'unauthorized',
    detail: 'Send the token: Authorization: Bearer ...',
  });
}

const BEARER = /^Bearer ([\x21-\x7e]{1,1024})$/i;

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
