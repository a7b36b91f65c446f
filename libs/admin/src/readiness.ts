import { setTimeout as pause } from 'node:timers/promises';
import type { OnModuleDestroy } from '@nestjs/common';

const NO_DATABASE = 'PostgreSQL does not answer.';

/** Whether the process can take requests. */
export class Readiness implements OnModuleDestroy {
  private stopping = false;

  /** @param ping resolves if the database answers */
  constructor(
    private readonly ping: () => Promise<unknown>,
    private readonly timeoutMs = 2_000,
  ) {}

  /** Why it can not, if so; answers within the timeout, by default two seconds. */
  async obstacle(): Promise<string | undefined> {
    if (this.stopping) return 'The service is stopping.';
    const answered = new AbortController();
    const patience = pause(this.timeoutMs, NO_DATABASE, { signal: answered.signal });
    try {
      return await Promise.race([this.ping().then(() => undefined), patience]);
    } catch {
      return NO_DATABASE;
    } finally {
      patience.catch(() => undefined);
      answered.abort();
    }
  }

  /** The first thing that a stopping application calls: whoever balances load stops sending requests. */
  onModuleDestroy(): void {
    this.stopping = true;
  }
}
