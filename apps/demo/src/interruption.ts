import { PawlError } from '@pawl/core';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const PARENT_CHECK_MS = 500;

/** Somebody wants the demo to end. `details.exitCode` is what a shell expects then. */
export class InterruptedError extends PawlError {
  constructor(why: string, exitCode: number) {
    super('interrupted', `Interrupted (${why})`, { exitCode });
  }
}

/**
 * Rejects with {@link InterruptedError} at Ctrl-C and its like, and from then on keeps further ones from cutting the cleaning up short. npm's
 * shell does not hand a signal on when it ends by one; so under npm the end of the parent counts too.
 */
export function interruption(): Promise<never> {
  const interrupted = new Promise<never>((_, reject) => {
    for (const [signal, exitCode] of Object.entries(SIGNALS)) {
      process.on(signal, () => reject(new InterruptedError(signal, exitCode)));
    }
    process.stdout.on('error', () => reject(new InterruptedError('nobody reads the output', 141)));
    if (process.env['npm_lifecycle_event'] === undefined) return;
    const parent = process.ppid;
    const check = (): void => {
      if (process.ppid !== parent) reject(new InterruptedError('npm ended', SIGNALS.SIGTERM));
    };
    setInterval(check, PARENT_CHECK_MS).unref();
  });
  interrupted.catch(() => undefined); // whoever races it hears of it
  return interrupted;
}
