import { PawlError, type Transaction } from '@pawl/core';
import type { EntityManager } from 'typeorm';
import type { RequestType } from './request-type.js';

/** What a handler is given beside the body. */
export interface RequestContext {
  readonly id: string;
  /** Whose request it is, as `ExchangeOptions.caller` says. */
  readonly caller: string;
  /** Of the transaction that stores the answer. It is taken away when the handler ends: await every query. */
  readonly manager: EntityManager;
  /** The same transaction, for Pawl's own calls: `workflows.deliver(..., { tx })`. */
  readonly tx: Transaction;
}

export type RequestHandling<Body, Answer> = (body: Body, context: RequestContext) => Promise<Answer> | Answer;

/**
 * Makes a provider's method the handler of a request type. What it writes through `manager` commits together with the answer that it
 * returns (plain JSON), once per id. {@link RequestRefusedError} is a final no; any other error rolls back, and the request may be POSTed again.
 */
export function RequestHandler<Body, Answer>(type: RequestType<Body, Answer>) {
  return <Handler extends RequestHandling<Body, Answer>>(
    _target: object,
    _member: string | symbol,
    descriptor: TypedPropertyDescriptor<Handler>,
  ): void => {
    if (descriptor.value) Object.defineProperty(descriptor.value, HANDLES, { value: type });
  };
}

const HANDLES = Symbol.for('pawl.request-handler');

/** The request type that a method handles, by its `@RequestHandler`. */
export function requestTypeOf(method: unknown): RequestType<unknown, unknown> | undefined {
  if (typeof method !== 'function') return undefined;
  return (method as { [HANDLES]?: RequestType<unknown, unknown> })[HANDLES];
}

/**
 * Thrown by a handler: a final no. What the handler has written is rolled back, and the refusal is kept and repeated like an answer.
 * @param code stable, for programs, and free of secrets like `detail`: both go to the caller
 */
export class RequestRefusedError extends PawlError {
  constructor(code: string, detail: string) {
    super(code, detail);
  }
}
