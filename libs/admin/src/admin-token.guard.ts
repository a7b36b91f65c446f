import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common';

/** Injection token of the text that callers have to send. */
export const ADMIN_TOKEN = Symbol('ADMIN_TOKEN');

/** Lets in who sends the token as a bearer. Digests are compared, in constant time, so neither its content nor its length leaks. */
@Injectable()
export class AdminTokenGuard implements CanActivate {
  private readonly digest: Buffer;

  constructor(@Inject(ADMIN_TOKEN) token: string) {
    this.digest = digestOf(token);
  }

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const { headers } = http.getRequest<{ headers: { authorization?: string } }>();
    const [, token] = BEARER.exec(headers.authorization ?? '') ?? [];
    if (token !== undefined && timingSafeEqual(digestOf(token), this.digest)) return true;
    http
      .getResponse<{ setHeader(name: string, value: string): void }>()
      .setHeader('WWW-Authenticate', 'Bearer');
    throw new UnauthorizedException({
      code: 'unauthorized',
      detail: 'Send the token: Authorization: Bearer ...',
    });
  }
}

const BEARER = /^Bearer ([\x21-\x7e]{1,1024})$/i;

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
