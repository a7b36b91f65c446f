import { PawlError } from '@pawl/core';

/** The bus can not be reached or did not take everything in time. Nothing is lost: it is published again. */
export class TransportUnavailableError extends PawlError {
  constructor(why: string, cause?: unknown) {
    super('transport_unavailable', `The message bus can not be used at the moment: ${why}.`, {}, cause);
  }
}
