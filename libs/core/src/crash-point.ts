let handler: ((name: string) => void) | undefined;

/**
 * Names a gap between two durable writes, so that a test can kill the process right there. Does nothing unless the
 * test kit has armed it; production code never arms it.
 */
export function crashPoint(name: string): void {
  handler?.(name);
}

/** For the test kit: called at each crash point that is passed. */
export function onCrashPoint(listener: (name: string) => void): void {
  handler = listener;
}
