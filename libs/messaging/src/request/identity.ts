import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type HttpRequest, requestIdentity } from './idempotency-key.js';

/**
 * Parameter of a controller's method: the {@link RequestIdentity} of the request. `@Identity('http')` gives the scope of the keys.
 * A request without a valid `Idempotency-Key` is refused.
 */
export const Identity = createParamDecorator((scope: string, context: ExecutionContext) =>
  requestIdentity(scope, context.switchToHttp().getRequest<HttpRequest>()),
);
