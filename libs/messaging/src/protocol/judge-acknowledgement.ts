import type { RangeSet } from '@pawl/core';
import type { SenderStream } from './session.js';

/**
 * - `apply`
 * - `other-incarnation`: it speaks of numbers that another incarnation of this sender gave.
 * - `older-receiver`: from a state of the receiver that has since been lost; what it has lost must not be deleted here.
 * - `newer-receiver`: from a receiver that no session is open with. It is asked, then follows its next acknowledgement.
 * - `never-sent`: it closes a number that was never given: this sender was set back, and begins a new incarnation.
 */
export type AcknowledgementVerdict =
  'apply' | 'other-incarnation' | 'older-receiver' | 'newer-receiver' | 'never-sent';

/** Decides about an acknowledgement, or the answer to a settlement. Incarnations are UUIDv7, so the greater one is the newer one. */
export function judgeAcknowledgement(
  { incarnation, receiver, closed }: AcknowledgementClaim,
  sender: Pick<SenderStream, 'incarnation' | 'nextSequence' | 'receiver'>,
): AcknowledgementVerdict {
  if (incarnation !== sender.incarnation) return 'other-incarnation';
  if (sender.receiver === undefined || receiver > sender.receiver) return 'newer-receiver';
  if (receiver < sender.receiver) return 'older-receiver';
  if (closed.end > sender.nextSequence) return 'never-sent';
  return 'apply';
}

/** What an acknowledgement says of a partition. */
export interface AcknowledgementClaim {
  /** The sender's. */
  readonly incarnation: string;
  /** The receiver's. */
  readonly receiver: string;
  readonly closed: RangeSet;
}
