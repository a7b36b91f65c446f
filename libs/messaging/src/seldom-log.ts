import { Logger } from '@nestjs/common';

const SILENCE_MS = 30_000;
const KINDS_MAX = 200;

/** Logs an error of one kind at most twice a minute, with the number of those it left out: an outage must not fill the disk. */
export class SeldomLog {
  private readonly kinds = new Map<string, { until: number; left: number }>();

  constructor(private readonly logger: Logger) {}

  warn(what: string, error: unknown): void {
    const { code, message, name } = (error ?? {}) as { code?: unknown; message?: unknown; name?: unknown };
    const kind = `${what}/${String(code ?? name ?? error)}`;
    const known = this.kinds.get(kind);
    const now = performance.now();
    if (known !== undefined && now < known.until) {
      known.left++;
      return;
    }
    if (this.kinds.size >= KINDS_MAX) this.kinds.clear();
    this.kinds.set(kind, { until: now + SILENCE_MS, left: 0 });
    const more = known === undefined || known.left === 0 ? '' : ` (and ${known.left} more like it)`;
    this.logger.warn(`${what}: ${String(message ?? error)}${more}`);
  }
}
