import {
  CommitUnknownError,
  contentDigest,
  crashPoint,
  type Json,
  Slots,
  sqlErrorKind,
  type Transaction,
  type Transactions,
} from '@pawl/core';
import { payloadJson } from '../payload.js';
import {
  ExchangeBodyDiffersError,
  ExchangeBodyInvalidError,
  ExchangeBusyError,
  ExchangeForgottenError,
  ExchangeInProgressError,
  ExchangeNotFoundError,
  ExchangeOutsideWindowError,
} from './exchange-errors.js';
import {
  type ExchangeKey,
  type ExchangeRow,
  find,
  finish,
  forget,
  lock,
  placeOf,
  store,
} from './exchange-store.js';
import { handled } from './handled.js';
import { RequestRefusedError } from './request-handler.js';
import type { RequestHandlers } from './request-handlers.js';

/** A request as its caller sees it. */
export interface ExchangeView {
  readonly id: string;
  readonly type: string;
  readonly state: 'stored' | 'answered' | 'refused';
  /** RFC 3339: from then on every verb answers 410. */
  readonly keptUntil: string;
  readonly answer?: Json;
  readonly refusal?: { readonly code: string; readonly detail: string };
}

export interface ExchangeLimits {
  /** How old the time of an id may be. Milliseconds. */
  readonly windowMs: number;
  /** How far ahead of the database's clock it may be. Milliseconds. */
  readonly aheadMs: number;
  /** How long a handler may take; it holds a connection and its request's row meanwhile. Milliseconds. */
  readonly handlerTimeoutMs: number;
  /** How long a call waits for another one under the same id. Milliseconds. */
  readonly twinWaitMs: number;
  /** Handlers that run at a time in this process. */
  readonly concurrency: number;
}

/**
 * Requests that take effect once, by an id that carries its time. Body, effect and answer live in the database of the effect, an id that
 * was used or forgotten stays taken until its own time has left the window, and outside of the window nothing runs: so nothing has to be
 * remembered for ever. A crash at any point leaves a request stored or answered, never in between; the caller repeats.
 */
export class Exchange {
  private readonly slots: Slots;

  constructor(
    private readonly transactions: Transactions,
    private readonly handlers: RequestHandlers,
    private readonly limits: ExchangeLimits,
  ) {
    this.slots = new Slots(limits.concurrency);
  }

  /**
   * Stores a request, once; nothing runs yet.
   * @throws ExchangeBodyDiffersError, ExchangeBodyInvalidError, RequestTypeUnknownError, ExchangeForgottenError, ExchangeOutsideWindowError
   */
  async put(
    key: ExchangeKey,
    type: string,
    body: unknown,
  ): Promise<{ view: ExchangeView; created: boolean }> {
    const problems = this.handlers.of(type).type.problems(body);
    if (problems.length > 0) throw new ExchangeBodyInvalidError(problems);
    const text = payloadJson(body, `request ${key.id}`);
    const digest = contentDigest([key.caller, type, body]);
    const put = await this.inWindow(key, async (tx) => {
      const created = await waiting(store(tx, key, { type, digest, body: text }));
      if (created) return { view: this.view(key, { type, processed: false }), created };
      const row = await find(tx, key);
      if (row?.forgotten) throw new ExchangeForgottenError();
      if (row?.digest !== digest) throw new ExchangeBodyDiffersError();
      return { view: this.view(key, row), created };
    });
    crashPoint('exchange.after-put');
    return put;
  }

  /**
   * Processes a stored request, once: effect and answer commit together. Repeated, it answers what was answered.
   * @throws ExchangeNotFoundError, ExchangeForgottenError, ExchangeOutsideWindowError: nothing ran
   * @throws ExchangeInProgressError, ExchangeBusyError, or what the handler has thrown: nothing is changed, POST again
   */
  async post(key: ExchangeKey): Promise<{ view: ExchangeView; replayed: boolean }> {
    const [giveBack] = this.slots.tryAcquire(1);
    if (giveBack === undefined) throw new ExchangeBusyError();
    try {
      return await this.process(key);
    } finally {
      giveBack();
    }
  }

  /** @throws ExchangeNotFoundError, ExchangeForgottenError, ExchangeOutsideWindowError */
  async get(key: ExchangeKey): Promise<ExchangeView> {
    return this.inWindow(key, async (tx) => this.view(key, present(await find(tx, key))));
  }

  /**
   * Forgets body and answer; the id stays taken until its time is up, also one that nobody has ever put.
   * @throws ExchangeInProgressError, ExchangeOutsideWindowError, ExchangeNotFoundError for somebody else's
   */
  async forget(key: ExchangeKey): Promise<void> {
    const forgotten = await this.inWindow(key, (tx) => waiting(forget(tx, key)));
    crashPoint('exchange.after-delete');
    if (!forgotten) throw new ExchangeNotFoundError();
  }

  private async process(key: ExchangeKey): Promise<{ view: ExchangeView; replayed: boolean }> {
    try {
      const processed = await this.inWindow(key, (tx) => this.processIn(tx, key));
      crashPoint('exchange.after-commit');
      return processed;
    } catch (error) {
      if (!(error instanceof RequestRefusedError)) throw error;
      const { code } = error;
      const detail = error.message.slice(0, REFUSAL_LENGTH_MAX);
      // What the handler wrote is rolled back. Until this commits the request is as before, and another POST would be refused as well.
      return this.inWindow(key, (tx) => this.refuseIn(tx, key, { code, detail }));
    }
  }

  private async processIn(tx: Transaction, key: ExchangeKey) {
    const row = present(await waiting(lock(tx, key)));
    if (row.processed) return { view: this.view(key, row), replayed: true };
    const { type, handle } = this.handlers.of(row.type);
    const result = await handled(tx, this.limits.handlerTimeoutMs, type.name, (manager) =>
      handle(row.body, { id: key.id, caller: key.caller, manager, tx }),
    );
    const text = payloadJson(result ?? null, `the answer to ${key.id}`);
    await finish(tx, key, { answer: text });
    crashPoint('exchange.before-commit');
    const answer = JSON.parse(text) as Json;
    return { view: this.view(key, { ...row, processed: true, answer }), replayed: false };
  }

  private async refuseIn(tx: Transaction, key: ExchangeKey, refusal: { code: string; detail: string }) {
    const row = present(await waiting(lock(tx, key)));
    if (row.processed) return { view: this.view(key, row), replayed: true };
    await finish(tx, key, { refusal: JSON.stringify(refusal) });
    return { view: this.view(key, { ...row, processed: true, refusal }), replayed: false };
  }

  /** In one transaction, after the time of the id has been found inside. Should the reply to COMMIT be lost, again: the row says what holds. */
  private async inWindow<T>(key: ExchangeKey, work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.transactions.run(
          async (tx) => {
            const outside = await placeOf(tx, key, this.limits);
            if (outside !== undefined) throw new ExchangeOutsideWindowError(outside);
            return work(tx);
          },
          { lockTimeoutMs: this.limits.twinWaitMs },
        );
      } catch (error) {
        if (!(error instanceof CommitUnknownError) || attempt === COMMIT_ATTEMPTS_MAX) throw error;
      }
    }
  }

  private view(
    { id, atMs }: ExchangeKey,
    row: Pick<ExchangeRow, 'type' | 'processed'> & Partial<ExchangeRow>,
  ): ExchangeView {
    const keptUntil = new Date(atMs + this.limits.windowMs).toISOString();
    const head = { id, type: row.type, keptUntil };
    if (!row.processed) return { ...head, state: 'stored' };
    if (row.refusal) return { ...head, state: 'refused', refusal: row.refusal };
    return { ...head, state: 'answered', answer: row.answer ?? null };
  }
}

const COMMIT_ATTEMPTS_MAX = 3;
/** Characters of what a refusal says. */
const REFUSAL_LENGTH_MAX = 2_000;

function present(row: ExchangeRow | undefined): ExchangeRow {
  if (row === undefined) throw new ExchangeNotFoundError();
  if (row.forgotten) throw new ExchangeForgottenError();
  return row;
}

/** A statement that waits for another call under the same id. */
async function waiting<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (sqlErrorKind(error) === 'busy') throw new ExchangeInProgressError();
    throw error;
  }
}
