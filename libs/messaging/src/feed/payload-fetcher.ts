import { contentDigest, type Json, PawlError, Slots } from '@pawl/core';
import { type Envelope, payloadPath } from '../envelope.js';
import { payloadProblems } from '../payload.js';
import type { FeedClient } from './feed-client.js';

export interface PayloadFetcherOptions {
  /** The feed of a service, if it is known where that is. */
  readonly client: (from: string) => Pick<FeedClient, 'payload'> | undefined;
  readonly onError: (error: unknown) => void;
}

/** Payloads that are fetched at a time. */
const FETCHES_MAX = 4;

/**
 * Fetches the payloads that did not travel, before their messages are handled and outside of any transaction. What can not be had, or is
 * not what the message promised, leaves its message without one: it stays open, spends no attempt, and comes again.
 */
export class PayloadFetcher {
  private readonly slots = new Slots(FETCHES_MAX);

  constructor(private readonly options: PayloadFetcherOptions) {}

  /** Hands messages on: those that have their payload at once, each of the others once it has. */
  async hand(
    envelopes: readonly Envelope[],
    take: (envelopes: readonly Envelope[]) => Promise<unknown>,
  ): Promise<void> {
    const complete = envelopes.filter(({ dataref }) => dataref === undefined);
    const claims = envelopes.filter(({ dataref }) => dataref !== undefined);
    await Promise.all([take(complete), ...claims.map(async (claim) => take([await this.fetched(claim)]))]);
  }

  /** The message with its payload, or as it came. Never throws. */
  private async fetched(envelope: Envelope): Promise<Envelope> {
    try {
      return await this.slots.use(async () => this.withPayload(envelope));
    } catch (error) {
      this.options.onError(error);
      return envelope;
    }
  }

  private async withPayload(envelope: Envelope): Promise<Envelope> {
    const { source, id } = envelope;
    const client = this.options.client(source);
    if (client === undefined) throw new NoFeedError(envelope);
    const text = await client.payload(id);
    // Its sender has an acknowledgement: a copy, which the inbox drops.
    if (text === undefined) return envelope;
    const { dataref: _, datadigest, datasize: __, ...rest } = envelope;
    const data = JSON.parse(text) as Json;
    if (contentDigest(data) !== datadigest || payloadProblems(data).length > 0)
      throw new WrongPayloadError(envelope);
    return { ...rest, data };
  }
}

/** A payload is to be fetched from a service whose feed is not configured here. */
export class NoFeedError extends PawlError {
  constructor({ source, id }: Envelope) {
    super(
      'feed_unknown',
      `${source} keeps the payload of message ${id} for this service to fetch, and it is not known where: ` +
        `MessagingModule.forRoot({ ..., feeds: [{ from: '${source}', url, token, pull: false }] }).`,
      { source, id },
    );
  }
}

/** What was fetched is not what the message has promised: altered on the way, or in the sender's database. */
export class WrongPayloadError extends PawlError {
  constructor(envelope: Envelope) {
    super(
      'payload_differs',
      `What is at ${payloadPath(envelope)} of ${envelope.source} has another digest than its message says.`,
      {
        source: envelope.source,
        id: envelope.id,
      },
    );
  }
}
