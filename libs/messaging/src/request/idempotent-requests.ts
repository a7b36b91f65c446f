import {
  CommitUnknownError,
  invariant,
  type Json,
  PawlError,
  sqlErrorKind,
  statement,
  type Transaction,
  type Transactions,
} from '@pawl/core';
import type { RequestIdentity } from './idempotency-key.js';

/** A final answer to a request: something that happened (2xx) or a verdict that repeating does not change (4xx). */
export interface Answer {
  readonly status: number;
  readonly body: Json;
}

/** What a request is told, and whether it was told so before. */
export interface Answered {
  readonly answer: Answer;
  readonly replayed: boolean;
}

export interface IdempotentRequestsOptions {
  /** How long an answer is kept; within it a repeated request gets that answer and does nothing. Default 24 h. Milliseconds. */
  readonly keptMs?: number;
  /** How long a request waits for its twin that is in progress. Default 5,000 ms: longer than the twin waits for its locks. */
  readonly twinWaitMs?: number;
  /** How long a request waits for a row it works on. Default 2,000 ms. */
  readonly lockWaitMs?: number;
}

/**
 * Does the work of an HTTP request once per idempotency key: the answer is stored in the transaction of the effect, so either
 * both are there or neither is. A twin that arrives meanwhile waits for that transaction, a bounded time; whatever comes later is
 * given the stored answer. A crash leaves nothing behind; a lost reply to COMMIT is resolved by asking for the stored answer,
 * which waits until the doubtful transaction has ended.
 */
export class IdempotentRequests {
  private readonly options: Required<IdempotentRequestsOptions>;

  constructor(
    private readonly transactions: Transactions,
    options: IdempotentRequestsOptions = {},
  ) {
    this.options = { ...DEFAULTS, ...options };
  }

  /** How long an answer is kept, and its key recognised. Milliseconds. */
  get keptMs(): number {
    return this.options.keptMs;
  }

  /**
   * Answers `request`. `work` runs inside the transaction, and again in a new one after a deadlock: it keeps no state outside. If
   * it throws, nothing is stored and the key stays free, so errors that a retry may mend (5xx, 429) are thrown, not answered.
   * @throws RequestInProgressError, RequestKeyReusedError
   * @throws BusyError, DatabaseUnavailableError: nothing was changed.
   * @throws CommitUnknownError: repeat under the same key.
   */
  async answer(request: RequestIdentity, work: (tx: Transaction) => Promise<Answer>): Promise<Answered> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.transactions.run((tx) => this.answerIn(tx, request, work), {
          lockTimeoutMs: this.options.twinWaitMs,
        });
      } catch (error) {
        // Its row is there, or it never will be: claiming the key again waits for the doubtful transaction and finds out.
        if (!(error instanceof CommitUnknownError) || attempt === COMMIT_ATTEMPTS_MAX) throw error;
      }
    }
  }

  private async answerIn(
    tx: Transaction,
    request: RequestIdentity,
    work: (tx: Transaction) => Promise<Answer>,
  ): Promise<Answered> {
    const { scope, key } = request;
    if (!(await this.claim(tx, request))) return { answer: await storedAnswer(tx, request), replayed: true };
    const answer = await work(tx);
    invariant(isFinal(answer), 'Only final answers are stored: throw what a retry may mend.', {
      status: answer.status,
    });
    await tx.query(STORE, [scope, key, answer.status, JSON.stringify(answer.body)]);
    return { answer, replayed: false };
  }

  private async claim(tx: Transaction, { scope, key, fingerprint }: RequestIdentity): Promise<boolean> {
    try {
      const { keptMs, lockWaitMs } = this.options;
      const claimed = await tx.query(CLAIM, [scope, key, fingerprint, keptMs, `${lockWaitMs}ms`]);
      return claimed.length > 0;
    } catch (error) {
      if (sqlErrorKind(error) === 'busy') throw new RequestInProgressError(key);
      throw error;
    }
  }
}

const DEFAULTS = { keptMs: 24 * 60 * 60 * 1000, twinWaitMs: 5_000, lockWaitMs: 2_000 };
const COMMIT_ATTEMPTS_MAX = 3;

// Two twins at once: the second insert waits for the first transaction, and then either conflicts with its row or takes its place.
// An expired row counts as none. The row lock of a conflict makes sure that the pruner can not take the row before it is read.
// Who has claimed the key has waited long enough: from here on the shorter limit for locks holds.
const CLAIM = statement(
  'request_claim',
  `insert into pawl.request as r (scope, key, fingerprint, expires_at)
   values ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond')
   on conflict (scope, key) do update
     set fingerprint = excluded.fingerprint, expires_at = excluded.expires_at,
         created_at = clock_timestamp(), status = null, body = null
     where r.expires_at <= clock_timestamp()
   returning set_config('lock_timeout', $5, true)`,
);

const STORE = statement(
  'request_store',
  'update pawl.request set status = $3, body = $4 where scope = $1 and key = $2',
);

const READ = statement(
  'request_read',
  'select fingerprint, status, body from pawl.request where scope = $1 and key = $2',
);

interface RequestRow {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: Json;
}

async function storedAnswer(tx: Transaction, { scope, key, fingerprint }: RequestIdentity): Promise<Answer> {
  const [row] = await tx.query<RequestRow>(READ, [scope, key]);
  invariant(row !== undefined, 'A request that conflicts is locked, so it can be read.', { scope, key });
  if (row.fingerprint !== fingerprint) throw new RequestKeyReusedError(key);
  return { status: row.status, body: row.body };
}

function isFinal({ status }: Answer): boolean {
  return status >= 200 && status < 500 && status !== 429;
}

/** The same request is being answered right now. HTTP: 409 with Retry-After. */
export class RequestInProgressError extends PawlError {
  constructor(key: string) {
    super(
      'request_in_progress',
      'A request with this idempotency key is being answered right now: repeat it in a moment.',
      { key },
    );
  }
}

/** The key came with another method, path or body before. HTTP: 422. */
export class RequestKeyReusedError extends PawlError {
  constructor(key: string) {
    super(
      'request_key_reused',
      'This idempotency key was used for another request: a new request needs a new key.',
      { key },
    );
  }
}
