import { setTimeout as pause } from 'node:timers/promises';
import type { ExchangeView } from './exchange.js';
import {
  ExchangeGoneError,
  ExchangeInvalidError,
  ExchangeUnansweredError,
} from './exchange-client-errors.js';
import type { HttpReply } from './one-try.js';

export interface TriesOptions {
  readonly triesMax: number;
  readonly pauseMs: number;
  readonly pauseMaxMs: number;
}

/** The tries that the calls of one request share, with pauses between those that fail. */
export class Tries {
  private made = 0;
  private failed = 0;

  constructor(
    private readonly options: TriesOptions,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * Makes one call until it is answered. Undefined: the other side has nothing under this id.
   * @throws ExchangeGoneError, ExchangeInvalidError, ExchangeUnansweredError; what the signal was aborted with
   */
  async until(
    call: (signal: AbortSignal | undefined) => Promise<HttpReply>,
  ): Promise<ExchangeView | undefined> {
    for (;;) {
      this.made++;
      let reply: HttpReply;
      try {
        reply = await call(this.signal);
      } catch (error) {
        this.signal?.throwIfAborted();
        await this.afterFailure((error as Error).message, 0, error);
        continue;
      }
      const { code, detail } = problemIn(reply);
      const { status, body, retryAfterMs = 0 } = reply;
      if (status === 204 || (status < 300 && isView(body))) return body as ExchangeView | undefined;
      if (status === 410 && code.startsWith('exchange_')) throw new ExchangeGoneError(code, detail);
      if (status === 404 && code === 'exchange_not_found') {
        // Answered; but a server that loses what it has just stored shall not be asked for ever.
        if (this.made >= this.options.triesMax) await this.afterFailure(detail, 0);
        return undefined;
      }
      if (status === 413 || FINAL.has(code)) throw new ExchangeInvalidError(code, detail);
      await this.afterFailure(`HTTP ${status} ${code}`, retryAfterMs);
    }
  }

  /** @throws ExchangeUnansweredError after the last try */
  private async afterFailure(what: string, askedMs: number, cause?: unknown): Promise<void> {
    const { triesMax, pauseMs, pauseMaxMs } = this.options;
    if (this.made >= triesMax) throw new ExchangeUnansweredError(this.made, what, cause);
    const ms = Math.min(pauseMaxMs, Math.max(askedMs, pauseMs * 2 ** this.failed++));
    // Half at random: those who failed together do not come back together.
    await pause(ms / 2 + (Math.random() * ms) / 2, undefined, {
      ...(this.signal && { signal: this.signal }),
    }).catch(() => this.signal?.throwIfAborted());
  }
}

/** Repeating does not help. Whatever else is said, by a handler or somebody in between, may pass. */
const FINAL = new Set(['exchange_id_invalid', 'exchange_body_invalid', 'exchange_body_differs']);

function isView(body: unknown): boolean {
  const { state } = (body ?? {}) as { state?: unknown };
  return state === 'stored' || state === 'answered' || state === 'refused';
}

function problemIn({ status, body }: HttpReply): { code: string; detail: string } {
  const { code, detail } = (body ?? {}) as { code?: unknown; detail?: unknown };
  return {
    code: typeof code === 'string' ? code : `http_${status}`,
    detail: typeof detail === 'string' ? detail.slice(0, DETAIL_LENGTH_MAX) : `HTTP ${status}`,
  };
}

const DETAIL_LENGTH_MAX = 500;
