import { PAYLOAD_BYTES_MAX, payloadJson } from '../payload.js';
import type { ExchangeView } from './exchange.js';
import { ExchangeGoneError, ExchangeInvalidError, ExchangeRefusedError } from './exchange-client-errors.js';
import { type HttpCall, oneTry } from './one-try.js';
import type { RequestType } from './request-type.js';
import { Tries } from './tries.js';

export interface ExchangeClientOptions {
  /** How long one HTTP call may take. Milliseconds, default 5,000. */
  readonly tryTimeoutMs?: number;
  /** HTTP calls of one `request`, repetitions included. Default 10. */
  readonly triesMax?: number;
  /** Pause after the first failed call; doubles up to `pauseMaxMs`, half of it at random. Milliseconds, default 100. */
  readonly pauseMs?: number;
  /** A Retry-After is heeded up to here as well. Milliseconds, default 5,000. */
  readonly pauseMaxMs?: number;
  /** Sent with each call, for the other side's guard. */
  readonly headers?: (url: string) => Readonly<Record<string, string>>;
}

export interface Wanted<Body, Answer> {
  /** From `newRequestId`, kept durably before the first call: whoever repeats uses the same one. */
  readonly id: string;
  readonly type: RequestType<Body, Answer>;
  readonly body: NoInfer<Body>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks another service, with one effect there however often a call is repeated: PUT, then POST, under an id of the caller's. A call
 * without an answer is repeated a bounded number of times, and the caller may repeat the whole under the same id for as long as the
 * other side's window lasts.
 */
export class ExchangeClient {
  private readonly options: typeof DEFAULTS & Pick<ExchangeClientOptions, 'headers'>;

  constructor(options: ExchangeClientOptions = {}) {
    this.options = { ...DEFAULTS, ...options };
  }

  /**
   * @param url where the other side serves its exchange, `https://orders.example/requests`
   * @throws ExchangeRefusedError: a final no of the handler
   * @throws ExchangeGoneError: the id has left the window or was deleted
   * @throws ExchangeInvalidError: this request can not be processed, however often it is repeated
   * @throws ExchangeUnansweredError: whether it took effect is unknown; repeat under the same id
   * @throws what the signal was aborted with: as unanswered
   */
  async request<Body, Answer>(url: string, wanted: Wanted<Body, Answer>): Promise<Answer> {
    const { id, type, body, signal } = wanted;
    const problems = type.problems(body);
    if (problems.length > 0) throw new ExchangeInvalidError('exchange_body_invalid', problems.join('; '));
    const json = `{"type":${JSON.stringify(type.name)},"body":${payloadJson(body, `request ${id}`)}}`;
    const tries = new Tries(this.options, signal);
    for (;;) {
      const put = await this.call(tries, { method: 'PUT', url: at(url, id), body: json });
      const view =
        put?.state === 'stored' ? await this.call(tries, { method: 'POST', url: at(url, id) }) : put;
      // Nothing there: a restore has lost what was stored, so it is stored again.
      if (view === undefined) continue;
      if (view.refusal) throw new ExchangeRefusedError(view.refusal.code, view.refusal.detail);
      return view.answer as Answer;
    }
  }

  /** What the other side knows of an id; undefined if nothing. @throws ExchangeGoneError, ExchangeUnansweredError */
  async find(url: string, id: string, signal?: AbortSignal): Promise<ExchangeView | undefined> {
    return this.call(new Tries(this.options, signal), { method: 'GET', url: at(url, id) });
  }

  /**
   * Has the other side forget body and answer, once the answer is kept here; nothing can run under the id again. What is not forgotten
   * goes when the time of the id leaves the window, so it is tried twice and no more.
   * @throws ExchangeUnansweredError
   */
  async forget(url: string, id: string, signal?: AbortSignal): Promise<void> {
    const tries = new Tries({ ...this.options, triesMax: FORGET_TRIES_MAX }, signal);
    try {
      await this.call(tries, { method: 'DELETE', url: at(url, id) });
    } catch (error) {
      if (!(error instanceof ExchangeGoneError)) throw error;
    }
  }

  private async call(
    tries: Tries,
    call: Pick<HttpCall, 'method' | 'url' | 'body'>,
  ): Promise<ExchangeView | undefined> {
    const { tryTimeoutMs: timeoutMs, headers } = this.options;
    const json = call.body === undefined ? {} : { 'Content-Type': 'application/json' };
    return tries.until((signal) =>
      oneTry({
        ...call,
        headers: { ...json, ...headers?.(call.url) },
        timeoutMs,
        bytesMax: ANSWER_BYTES_MAX,
        signal,
      }),
    );
  }
}

const DEFAULTS = { tryTimeoutMs: 5_000, triesMax: 10, pauseMs: 100, pauseMaxMs: 5_000 };

const FORGET_TRIES_MAX = 2;

/** An answer with what stands around it. */
const ANSWER_BYTES_MAX = PAYLOAD_BYTES_MAX + 4_096;

function at(url: string, id: string): string {
  return `${url.replace(/\/+$/, '')}/${id}`;
}
