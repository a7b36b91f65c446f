/**
 * Version of what goes over the wire: how envelopes, acknowledgements, questions and answers are to be read. 2 names itself (`pawlversion`), 1 did
 * not. Raised when something is to be read in another way; new attributes that may be ignored do not raise it.
 */
export const WIRE_VERSION = 2;

/** The present version, and the one before it: a service is upgraded while others still run the release before. */
export type WireVersion = 1 | typeof WIRE_VERSION;

export const OLDEST_WIRE_VERSION: WireVersion = 1;

/** Says of a delivery in which version it is written. */
export function stamped<Delivery extends object>(delivery: Delivery, version: WireVersion): Delivery {
  return version === 1 ? delivery : { pawlversion: version, ...delivery };
}

/**
 * Whether a delivery can be read here. One of a `newer` version is not read at all, for its numbers may mean something else: it is neither stored
 * nor answered, so its sender sends it again until a process of its release takes it. Else it is `readable`, or `garbage`.
 */
export function readability(delivery: unknown): 'readable' | 'newer' | 'garbage' {
  const { pawlversion = 1 } = (delivery ?? {}) as { pawlversion?: unknown };
  if (!Number.isSafeInteger(pawlversion) || (pawlversion as number) < OLDEST_WIRE_VERSION) return 'garbage';
  return (pawlversion as number) > WIRE_VERSION ? 'newer' : 'readable';
}
