import { contentDigest, type Transaction } from '@pawl/core';
import { type Envelope, LeaveOpenError, type MessageConsumer } from '@pawl/messaging';
import type { ArrivingEvent } from '../../model/event.js';
import { TooManyAwaitedError } from '../../store/lock-runs.js';
import type { Definitions } from '../definitions.js';
import type { EventDelivery, Receiver } from './receiver.js';

/** Hands messages of other services to the workflows that have a handler for their type; the subject is the run's key. */
export class WorkflowConsumer implements MessageConsumer {
  readonly name = 'workflows';

  constructor(
    private readonly definitions: Definitions,
    private readonly receiver: Receiver,
  ) {}

  versionsOf(type: string): readonly number[] {
    return this.definitions.versionsOf(type);
  }

  async handle(envelopes: readonly Envelope[], tx: Transaction): Promise<readonly string[]> {
    try {
      await this.receiver.receive(
        tx,
        envelopes.flatMap((envelope) => this.deliveriesOf(envelope)),
      );
      return [];
    } catch (error) {
      // Thrown, not answered: the row of the awaited run was made already, and must not commit. Of several, each is tried alone.
      if (error instanceof TooManyAwaitedError && envelopes.length === 1)
        throw new LeaveOpenError(error.message, error);
      throw error;
    }
  }

  private deliveriesOf(envelope: Envelope): EventDelivery[] {
    const event = arrivingEvent(envelope);
    return this.definitions
      .consumersOf(envelope.type)
      .map((workflow) => ({ workflow, key: envelope.subject, event }));
  }
}

function arrivingEvent({
  id,
  type,
  dataversion: typeVersion,
  data: payload,
  stream,
}: Envelope): ArrivingEvent {
  return { id, type, typeVersion, payload, digest: contentDigest(payload), source: stream };
}
