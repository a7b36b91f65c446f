import { contentDigest } from '@pawl/core';
import { messageTypeOf, payloadJson } from '@pawl/messaging';
import { v7 as uuidv7 } from 'uuid';
import type { ArrivingEvent } from '../../model/event.js';

/**
 * An instance of a decorated event class as the engine takes it: plain content under its wire name.
 * @throws PawlError `payload_invalid`, `payload_too_large`: it could not even be stored
 */
export function arrivingEvent(
  event: object,
  {
    id = uuidv7(),
    source = 'client',
    startVersion,
  }: Partial<Pick<ArrivingEvent, 'id' | 'source' | 'startVersion'>> = {},
): ArrivingEvent {
  const { name, version } = messageTypeOf(event.constructor as Parameters<typeof messageTypeOf>[0]);
  const payload: unknown = { ...event };
  payloadJson(payload, `event ${name}`);
  const arriving = { id, type: name, typeVersion: version, payload, digest: contentDigest(payload), source };
  return startVersion === undefined ? arriving : { ...arriving, startVersion };
}
