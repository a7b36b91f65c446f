import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { isSubmission } from './client-plan.js';
import type { Wish } from './client-plan.js';
import type { Random } from './random.js';

/** What the API promises to answer to a fact that it has taken, whatever became of it. */
const ACCEPTED = 202;
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 1000;
const REQUEST_TIMEOUT_MS = 10_000;
const VIOLATIONS_KEPT = 10;

export interface ClientOptions {
  /** Where the orders service listens now: another address after it was started again. */
  readonly url: () => string;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Called with each request that goes out. */
  readonly onSent?: () => void;
}

/** A lane is a customer at a keyboard: it waits for its answer before it goes on. */
const LANES = 16;

export interface SendOptions {
  /** What each wish is to be answered. Default 202. */
  readonly status?: number;
  /** How many at a time. Default 16; 1 keeps the order. */
  readonly lanes?: number;
}

interface Answer {
  readonly status: number;
  readonly body: {
    readonly code?: string;
    readonly verdict?: string;
    readonly rule?: string;
    readonly state?: string | null;
  };
}

/** Sends wishes to the orders service, repeats them under their keys, and insists until each is answered. */
export class OrdersClient {
  /** Wishes answered. */
  done = 0;
  /** Requests sent and not yet answered. */
  inFlight = 0;
  /** Requests that were refused or cut off, and sent again. */
  retried = 0;
  /** Requests beyond the first under their key, one after the other and at the same moment. */
  readonly repeated = { later: 0, atOnce: 0 };
  /** Requests that went out before the first one that made their order known. */
  early = 0;
  /** Answers by verdict and rule: `applied (started)`. */
  readonly verdicts = new Map<string, number>();
  /** Answers that break a promise of the API. */
  readonly violations: string[] = [];
  /** Ids of the orders whose submission has gone out. */
  private readonly submitted = new Set<string>();

  constructor(private readonly options: ClientOptions) {
    setMaxListeners(0, options.signal); // each lane waits for it
  }

  /** Sends every wish and its repetitions, in this order, several at a time. */
  async send(wishes: readonly Wish[], { status = ACCEPTED, lanes = LANES }: SendOptions = {}): Promise<void> {
    const queue = wishes.values();
    const lane = async (): Promise<void> => {
      for (const wish of queue) await this.fulfil(wish, status);
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }

  /** The state of an order, undefined while it has none. */
  async state(orderId: string): Promise<string | undefined> {
    const { body } = await this.request(`/orders/${orderId}`, {});
    return body.state ?? undefined;
  }

  private async fulfil(wish: Wish, status: number): Promise<void> {
    const first = this.post(wish);
    const others = wish.times - 1;
    this.repeated[wish.atOnce ? 'atOnce' : 'later'] += others;
    const answers = wish.atOnce
      ? await Promise.all([first, ...Array.from({ length: others }, () => this.post(wish))])
      : [await first];
    while (answers.length < wish.times) answers.push(await this.post(wish));
    this.check(wish, answers, status);
    this.done++;
  }

  private async post(wish: Wish): Promise<Answer> {
    const { orderId, path, key, body } = wish;
    if (isSubmission(wish)) this.submitted.add(orderId);
    else if (!this.submitted.has(orderId)) this.early++;
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    this.inFlight++;
    this.options.onSent?.();
    try {
      return await this.request(path, { method: 'POST', headers, body: JSON.stringify(body) });
    } finally {
      this.inFlight--;
    }
  }

  /** Asks again when nobody answers, or "later" is answered; the idempotency key makes that safe. */
  private async request(path: string, init: RequestInit): Promise<Answer> {
    const { signal, url, random } = this.options;
    for (let delay = RETRY_FIRST_MS; ; delay = Math.min(2 * delay, RETRY_MAX_MS)) {
      const answer = await this.attempt(`${url()}${path}`, init);
      if (answer && !saysLater(answer)) return answer;
      signal.throwIfAborted();
      if (init.method === 'POST') this.retried++;
      await pause(delay * (0.5 + random.fraction()), undefined, { signal });
    }
  }

  private async attempt(url: string, init: RequestInit): Promise<Answer | undefined> {
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
      return { status: response.status, body: (await response.json()) as Answer['body'] };
    } catch {
      return undefined; // refused, cut off or too late: whether it was taken is known only after asking again
    }
  }

  private check({ path, key }: Wish, answers: readonly Answer[], status: number): void {
    for (const { status: got, body } of answers) {
      if (got !== status)
        this.violate(`${path} (${key}) was answered ${got}, not ${status}: ${JSON.stringify(body)}`);
      const { verdict = 'none', rule = 'none' } = body;
      this.verdicts.set(`${verdict} ${rule}`, (this.verdicts.get(`${verdict} ${rule}`) ?? 0) + 1);
    }
    const different = new Set(answers.map(({ body }) => `${body.verdict} ${body.rule}`));
    if (different.size > 1)
      this.violate(`${path} (${key}): one key, several answers: ${[...different].join(', ')}`);
  }

  private violate(what: string): void {
    if (this.violations.length < VIOLATIONS_KEPT) this.violations.push(what);
  }
}

/** Nothing was decided: the service is not able to at the moment, or another request of the same key is being answered. */
function saysLater({ status, body }: Answer): boolean {
  return status === 503 || (status === 409 && body.code === 'request_in_progress');
}
