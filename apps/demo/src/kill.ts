import type { DemoProcess } from './demo-process.js';
import type { FaultCount } from './report.js';

/** Kills a process once, the moment there is evidence that it has work in hand, and starts it again. */
export class Kill {
  private fired = 0;
  private detail = '';
  private underWay: Promise<void> | undefined;

  /** @param evidence tells what the process is in the middle of, or undefined while the moment is not good */
  constructor(
    private readonly target: DemoProcess,
    private readonly tell: (text: string) => void,
    private readonly evidence: () => string | undefined,
  ) {}

  /** To be called whenever something has happened. */
  check(): void {
    if (this.underWay) return;
    const evidence = this.evidence();
    if (evidence === undefined) return;
    this.detail = `while it had ${evidence}`;
    this.underWay = this.strike();
    this.underWay.catch(() => undefined); // `done` throws it
  }

  get count(): FaultCount {
    return {
      name: `${this.target.name} process killed (SIGKILL), started again`,
      fired: this.fired,
      detail: this.detail,
    };
  }

  /** Waits until the process is back. @throws what its start threw */
  async done(): Promise<void> {
    await this.underWay;
  }

  private async strike(): Promise<void> {
    if (!(await this.target.kill())) return;
    await this.target.start();
    this.fired++;
    this.tell(`The ${this.target.name} process was killed (SIGKILL) ${this.detail}. It runs again.`);
  }
}
