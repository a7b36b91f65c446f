import { HttpException } from '@nestjs/common';

export interface Rate {
  /** Requests per second that are let through in the long run. */
  readonly perSecond: number;
  /** How many may come at once after a pause. Default: `perSecond`. */
  readonly burst?: number;
}

/** A bucket of tokens: what exceeds the rate of this process is refused before it costs anything. */
export class RateLimit {
  private tokens: number;
  private readonly burst: number;
  private at: number;

  constructor(
    private readonly rate: Rate,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.burst = rate.burst ?? rate.perSecond;
    this.tokens = this.burst;
    this.at = now();
  }

  /** @throws HttpException 429 */
  take(): void {
    const now = this.now();
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.at) / 1_000) * this.rate.perSecond);
    this.at = now;
    if (this.tokens < 1) throw new HttpException({ code: 'too_many_requests', detail: TOO_MANY }, 429);
    this.tokens--;
  }
}

const TOO_MANY = 'More requests than this entrance takes: come again in a moment.';
