import { PawlError } from '@pawl/core';

/** A batch has handled a message although the one before it of the same key got no verdict or holds it. Each is then tried alone. */
export class InDisorderError extends PawlError {
  constructor(stream: string, why: string) {
    super('in_disorder', `Messages of one key in ${stream}: ${why}.`, { stream });
  }
}
