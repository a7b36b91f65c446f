import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { BearerToken, refuseBearer } from '@pawl/messaging';

/** Injection token of the text that callers have to send. */
export const ADMIN_TOKEN = Symbol('ADMIN_TOKEN');

/** Lets in who sends the token as a bearer. */
@Injectable()
export class AdminTokenGuard implements CanActivate {
  private readonly token: BearerToken;

  constructor(@Inject(ADMIN_TOKEN) token: string) {
    this.token = new BearerToken(token);
  }

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const { headers } = http.getRequest<{ headers: { authorization?: string } }>();
    if (this.token.isIn(headers.authorization)) return true;
    return refuseBearer(http.getResponse<{ setHeader(name: string, value: string): void }>());
  }
}
