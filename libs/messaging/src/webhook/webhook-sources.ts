import { type Duration, PawlError, RefusedToBootError, toMilliseconds } from '@pawl/core';
import { noteWindow } from '../declared.js';
import { RateLimit, type Rate } from '../http/rate-limit.js';
import type { WebhookHandling } from './webhook.js';
import type { WebhookVerifier } from './webhook-verifier.js';

export interface WebhookSourceOptions {
  /** How a webhook shows that it is this source's: `standardWebhooks({ secrets })`, or one's own. */
  readonly verifier: WebhookVerifier;
  /**
   * How long ids are kept: the same id within it is a duplicate, after it a new webhook. Longer than the source goes on sending the same again, and
   * at least three times the verifier's tolerance.
   */
  readonly retention: Duration;
  /** Requests per second and process, genuine or not. Default 50. */
  readonly rate?: Rate;
}

export interface WebhookSource {
  readonly verifier: WebhookVerifier;
  readonly retentionMs: number;
  readonly limit: RateLimit;
  readonly handle: WebhookHandling;
}

/** The declared sources with their handlers, one each. */
export class WebhookSources {
  private readonly handlers = new Map<string, WebhookHandling>();
  private readonly problems: string[] = [];
  private readonly sources = new Map<string, WebhookSource>();

  constructor(private readonly declared: Readonly<Record<string, WebhookSourceOptions>>) {}

  /** @param name class and method, for errors */
  register(source: string, handle: WebhookHandling, name: string): void {
    if (!Object.hasOwn(this.declared, source))
      this.problems.push(`${name} handles the undeclared source ${source}`);
    if (this.handlers.has(source)) this.problems.push(`${name} is the second handler of ${source}`);
    this.handlers.set(source, handle);
  }

  /** Once all handlers are there. @throws RefusedToBootError `webhook_sources_invalid` with every problem */
  complete(): void {
    for (const [name, options] of Object.entries(this.declared)) {
      const { verifier, retention, rate = { perSecond: 50 } } = options;
      const retentionMs = toMilliseconds(retention) ?? 0;
      const handle = this.handlers.get(name);
      if (!SOURCE.test(name))
        this.problems.push(`source '${name}' is not made of lower case letters, digits, hyphens`);
      if (retentionMs < 1) this.problems.push(`source ${name}: retention is no span of time`);
      // What is signed for a time ahead may come again for twice the tolerance, and clocks differ.
      if (retentionMs < 3 * (verifier.toleranceMs ?? 0))
        this.problems.push(
          `source ${name}: retention is less than three times the tolerance of its verifier`,
        );
      if (handle === undefined)
        this.problems.push(`source ${name} has no handler: put @Webhook('${name}') on a method`);
      else this.sources.set(name, { verifier, retentionMs, limit: new RateLimit(rate), handle });
    }
    if (this.problems.length > 0)
      throw new RefusedToBootError('webhook_sources_invalid', 'WebhookModule can not start:', this.problems);
    for (const [name, { retentionMs }] of this.sources)
      noteWindow({ entrance: 'webhook', name, windowMs: retentionMs });
  }

  /** @throws WebhookSourceUnknownError */
  of(name: string): WebhookSource {
    const source = this.sources.get(name);
    if (source === undefined) throw new WebhookSourceUnknownError();
    return source;
  }
}

const SOURCE = /^[a-z][a-z0-9-]{0,62}$/;

/** HTTP: 404. */
export class WebhookSourceUnknownError extends PawlError {
  constructor() {
    super('webhook_source_unknown', 'No such source of webhooks.');
  }
}
