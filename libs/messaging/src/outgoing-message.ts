import { PawlError } from '@pawl/core';
import { v7 } from 'uuid';
import { type MessageClass, messageTypeOf } from './message-type.js';
import type { Route } from './route.js';

/** A message that is to be written to the outbox. */
export interface OutgoingMessage {
  /** A UUID in lower case. A second message of the same id is not written while the first is in the outbox. */
  readonly id: string;
  readonly route: Route;
  readonly type: string;
  readonly version: number;
  /** Messages of one key take one partition. 1 to 512 characters. */
  readonly key: string;
  readonly payload: unknown;
  /** W3C trace context of the sender. */
  readonly traceparent?: string;
}

export interface OutgoingOptions {
  readonly route: Route;
  readonly key: string;
  /** Default: a new UUIDv7. */
  readonly id?: string;
  readonly traceparent?: string;
}

/**
 * Makes a message of a decorated class, checked against its schema.
 * @throws PawlError `payload_invalid` with all problems
 */
export function outgoing<Payload>(
  type: MessageClass<Payload>,
  payload: Payload,
  { route, key, id = v7(), traceparent }: OutgoingOptions,
): OutgoingMessage {
  const { name, version, problems } = messageTypeOf(type);
  const found = problems(payload);
  if (found.length > 0) {
    throw new PawlError('payload_invalid', `The payload of ${name}: ${found.join('; ')}.`, {
      type: name,
      problems: found,
    });
  }
  return {
    id,
    route,
    type: name,
    version,
    key,
    payload,
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
