import { contentDigest, PawlError, type Transaction } from '@pawl/core';
import type { DeadEvent, EventRedrive } from '@pawl/messaging';
import type { Receipt } from '../../model/verdict.js';
import type { Receiver } from './receiver.js';

/** Delivers events again that became dead letters, for the duty that redrives them. */
export class WorkflowEventRedrive implements EventRedrive {
  constructor(private readonly receiver: Receiver) {}

  /** @throws PawlError `redrive_without_effect`: the run does not take it, or not yet; nothing of it may commit */
  async redrive(tx: Transaction, dead: DeadEvent): Promise<void> {
    const { id, source, workflow, key, type, version: typeVersion, payload } = dead;
    const event = { id, source, type, typeVersion, payload, digest: contentDigest(payload) };
    const [receipt] = await this.receiver.receive(tx, [{ workflow, key, event }]);
    if (receipt === undefined || !hasEffect(receipt)) throw withoutEffect(receipt);
  }
}

/** Applied now, or before. */
function hasEffect({ verdict, rule }: Receipt): boolean {
  if (verdict === 'duplicate') return rule !== 'already-parked';
  return verdict === 'applied' || rule === 'applied-before';
}

function withoutEffect(receipt: Receipt | undefined): PawlError {
  const { verdict = 'rejected', rule = '', detail = '' } = receipt ?? {};
  const what = rule === 'already-parked' ? 'it still waits with its run' : `${verdict} by ${rule}`;
  return new PawlError(
    'redrive_without_effect',
    `The run does not take the event: ${what}. ${detail}`.trim(),
  );
}
