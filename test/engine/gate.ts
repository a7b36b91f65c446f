/** Opened by the spec: orders what happens side by side, without sleeps. */
export interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

/** A place in user code where the spec waits for somebody to come by, and lets them go on when it likes. */
export class Barrier {
  private readonly arrivals: (() => void)[] = [];
  private readonly waiting: ((goOn: () => void) => void)[] = [];

  /** For the code under test. */
  async stop(): Promise<void> {
    await new Promise<void>((goOn) => {
      const next = this.waiting.shift();
      if (next) next(goOn);
      else this.arrivals.push(goOn);
    });
  }

  /** Answers, once somebody has come by, the function that lets them go on. */
  async arrival(): Promise<() => void> {
    const here = this.arrivals.shift();
    if (here) return here;
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
