import type { Json } from '@pawl/core';
import type { Loss } from '../loss.js';

/** What is kept of a message that was waived. */
export interface WaivedRow {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly payload: Json;
  readonly waived: boolean;
  readonly waived_by: string | null;
  readonly waived_reason: string | null;
}

/** The entry of the loss ledger for a waived message that its receiver has not seen, and never will. */
export function waivedLoss({ id, type, key, payload, waived_by, waived_reason }: WaivedRow): Loss {
  const detail = `${waived_by ?? 'unknown'}: ${waived_reason ?? 'no reason given'}`;
  return { origin: 'message', type, subject: key, payload, reason: 'waived', detail, messageId: id };
}
