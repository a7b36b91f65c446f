import type { Acknowledgement } from '../acknowledgement.js';

/** What the sender knows of a partition when an acknowledgement comes. */
export interface SenderView {
  readonly incarnation: string;
  readonly nextSequence: number;
  readonly receiver: string | undefined;
}

/**
 * - `apply`
 * - `other-incarnation`: it speaks of numbers that another incarnation of this sender gave.
 * - `older-receiver`: from a state of the receiver that has since been lost; what it has lost must not be deleted here.
 * - `never-sent`: it closes a number that was never given. One of the two databases was set back.
 */
export type AcknowledgementVerdict = 'apply' | 'other-incarnation' | 'older-receiver' | 'never-sent';

/** Decides about an acknowledgement. Incarnations are UUIDv7, so the greater one is the newer one. */
export function judgeAcknowledgement(
  { incarnation, receiver, closed }: Acknowledgement,
  sender: SenderView,
): AcknowledgementVerdict {
  if (incarnation !== sender.incarnation) return 'other-incarnation';
  if (sender.receiver !== undefined && receiver < sender.receiver) return 'older-receiver';
  if (closed.end > sender.nextSequence) return 'never-sent';
  return 'apply';
}
