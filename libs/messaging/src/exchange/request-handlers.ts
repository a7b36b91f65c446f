import { PawlError } from '@pawl/core';
import { RequestTypeUnknownError } from './exchange-errors.js';
import type { RequestHandling } from './request-handler.js';
import type { RequestType } from './request-type.js';

interface Registered {
  readonly type: RequestType<unknown, unknown>;
  readonly handle: RequestHandling<unknown, unknown>;
}

/** Which handler answers which type of request; one each. */
export class RequestHandlers {
  private readonly known = new Map<string, Registered>();

  /** @throws PawlError `request_handled_twice` */
  register<Body, Answer>(type: RequestType<Body, Answer>, handle: RequestHandling<Body, Answer>): void {
    if (this.known.has(type.name))
      throw new PawlError(
        'request_handled_twice',
        `Two handlers for requests of type ${type.name}: keep one.`,
      );
    this.known.set(type.name, { type, handle: handle as RequestHandling<unknown, unknown> });
  }

  /** @throws RequestTypeUnknownError */
  of(type: string): Registered {
    const registered = this.known.get(type);
    if (registered === undefined) throw new RequestTypeUnknownError(type);
    return registered;
  }
}
