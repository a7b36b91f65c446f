import type { WriteStream } from 'node:tty';

const WIDTH = 30;
const LINE_EVERY_MS = 3000;
const CLEAR_LINE = '\r\x1b[K';

export interface ProgressOptions {
  readonly out: WriteStream | NodeJS.WritableStream;
  readonly total: number;
  /** For tests. Default: the process's own. */
  readonly now?: () => number;
}

/** A bar that redraws itself on a terminal, and a line every few seconds elsewhere, so that logs stay readable. */
export class ProgressBar {
  private readonly options: ProgressOptions;
  private readonly redraws: boolean;
  private printedAt = 0;

  constructor(options: ProgressOptions) {
    this.options = options;
    this.redraws = 'isTTY' in options.out && options.out.isTTY;
  }

  show(done: number, what: string): void {
    const { out, total, now = () => performance.now() } = this.options;
    const line = `${bar(done, total)} ${String(done).padStart(String(total).length)}/${total}  ${what}`;
    if (this.redraws) {
      const columns = 'columns' in out ? out.columns : line.length;
      out.write(CLEAR_LINE + line.slice(0, columns - 1));
    } else if (now() - this.printedAt >= LINE_EVERY_MS) {
      this.printedAt = now();
      out.write(`${line}\n`);
    }
  }

  /** Prints a line of text that stays, above the bar. */
  note(text: string): void {
    this.options.out.write(`${this.redraws ? CLEAR_LINE : ''}${text}\n`);
  }

  end(): void {
    if (this.redraws) this.options.out.write(CLEAR_LINE);
  }
}

function bar(done: number, total: number): string {
  const full = Math.round((WIDTH * Math.min(done, total)) / total);
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}]`;
}
