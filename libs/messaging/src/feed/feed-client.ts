import { PawlError } from '@pawl/core';
import { isSequence, isUuid } from '../envelope.js';
import { PAYLOAD_BYTES_MAX } from '../payload.js';
import { PARTITIONS_MAX } from '../route.js';
import type { Delivery } from '../transport/transport.js';
import { boundedFetch } from './bounded-fetch.js';
import type { FeedPage } from './outbox-feed.js';

/** A page as it arrived: checked, but for its messages. */
export type ReceivedPage = Omit<FeedPage, 'messages' | 'stream'> & { readonly messages: readonly unknown[] };

export interface PageQuestion {
  readonly partition: number;
  readonly incarnation?: string | undefined;
  /** Numbers from this one on. */
  readonly from: number;
  readonly limit: number;
  /** How long the sender may wait for a message. Whole seconds. */
  readonly waitS: number;
}

/** How long an answer may take beyond what it was allowed to wait. Milliseconds. */
const ANSWER_MS = 10_000;
/** A page ends before its payloads have 4 MB, but for its first message; seals and envelopes come on top. */
const PAGE_BYTES_MAX = 32 * 1024 * 1024;

/** One stream's feed at its sender, over HTTP. */
export class FeedClient {
  private readonly base: string;
  private readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly stream: string,
    { url, token }: { readonly url: string; readonly token: string },
  ) {
    this.base = `${url.replace(/\/+$/, '')}/feed/${stream}`;
    this.headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  }

  /** Asks for messages. @throws FeedUnavailableError, FeedRefusedError */
  async page(
    { partition, incarnation, from, limit, waitS }: PageQuestion,
    signal?: AbortSignal,
  ): Promise<ReceivedPage> {
    const query = new URLSearchParams({ partition: `${partition}`, limit: `${limit}`, wait: `${waitS}` });
    if (incarnation !== undefined) query.set('incarnation', incarnation);
    if (from > 0) query.set('after', `${from - 1}`);
    const timeoutMs = waitS * 1_000 + ANSWER_MS;
    const { status, text } = await this.ask(`?${query.toString()}`, {
      bytesMax: PAGE_BYTES_MAX,
      timeoutMs,
      signal,
    });
    if (status !== 200) throw this.refused(status, text);
    const page = parsePage(text);
    if (page === undefined)
      throw new FeedUnavailableError(this.stream, 'it did not answer with a page of a feed');
    return page;
  }

  /** Hands over what runs against the stream: acknowledgements. @throws FeedUnavailableError, FeedRefusedError */
  async acknowledge(deliveries: readonly Delivery[]): Promise<void> {
    const body = JSON.stringify({ deliveries });
    const { status, text } = await this.ask('/acknowledgements', { body, timeoutMs: ANSWER_MS });
    if (status !== 204) throw this.refused(status, text);
  }

  /**
   * The JSON text of a payload that did not travel; nothing if the sender has it no more.
   * @throws FeedUnavailableError, FeedRefusedError
   */
  async payload(id: string): Promise<string | undefined> {
    // One byte more would be another payload; as the sender's database writes it, it has spaces.
    const bytesMax = 2 * PAYLOAD_BYTES_MAX;
    const { status, text } = await this.ask(`/payloads/${id}`, { bytesMax, timeoutMs: ANSWER_MS });
    if (status === 404) return undefined;
    if (status !== 200) throw this.refused(status, text);
    return text;
  }

  private async ask(
    path: string,
    options: { body?: string; bytesMax?: number; timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<{ status: number; text: string }> {
    try {
      return await boundedFetch(`${this.base}${path}`, {
        bytesMax: PROBLEM_BYTES_MAX,
        headers: this.headers,
        ...options,
      });
    } catch (error) {
      throw new FeedUnavailableError(this.stream, reasonOf(error), error);
    }
  }

  private refused(status: number, text: string): PawlError {
    const remedy = REMEDIES[status];
    if (remedy !== undefined) return new FeedRefusedError(this.stream, status, remedy);
    return new FeedUnavailableError(this.stream, `it answered ${status}: ${text.slice(0, 200)}`);
  }
}

const PROBLEM_BYTES_MAX = 64 * 1024;

const REMEDIES: Readonly<Record<number, string>> = {
  400: 'the two services have releases that do not fit',
  401: 'the token is not one of feed.tokens there',
  404: 'no FeedModule is there, or feed.tokens does not name this service',
};

/** The feed can not be reached, or is busy: nothing is lost, it is asked again. */
export class FeedUnavailableError extends PawlError {
  constructor(stream: string, why: string, cause?: unknown) {
    super('feed_unavailable', `The feed of ${stream} can not be read: ${why}.`, { stream }, cause);
  }
}

/** The feed's service does not let this one read: somebody has to mend the configuration. */
export class FeedRefusedError extends PawlError {
  constructor(stream: string, status: number, remedy: string) {
    super('feed_refused', `The feed of ${stream} answered ${status}: ${remedy}.`, { stream, status });
  }
}

function parsePage(text: string): ReceivedPage | undefined {
  let page: Partial<ReceivedPage>;
  try {
    page = (JSON.parse(text) ?? {}) as Partial<ReceivedPage>;
  } catch {
    return undefined;
  }
  const { partition, incarnation, messages, last, end, partitions } = page;
  const right =
    isSequence(partition) &&
    (incarnation === null || isUuid(incarnation)) &&
    Array.isArray(messages) &&
    (last === null || isSequence(last)) &&
    typeof end === 'boolean' &&
    isSequence(partitions) &&
    partitions <= PARTITIONS_MAX;
  return right ? { partition, incarnation, messages, last, end, partitions } : undefined;
}

/** What the network said, which `fetch` hides behind its own error. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
