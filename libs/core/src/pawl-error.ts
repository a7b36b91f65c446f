/**
 * An error that some caller is expected to treat differently from others. `code` is stable and may be matched on;
 * the message is for people and names the remedy.
 */
export class PawlError extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** A broken promise inside Pawl itself: the transaction rolls back, and the attempt counts. */
export class InvariantError extends PawlError {
  constructor(message: string, details?: Record<string, unknown>) {
    super('invariant_broken', message, details);
  }
}

/** Throws an {@link InvariantError} unless `condition` holds. */
export function invariant(
  condition: unknown,
  message: string,
  details?: Record<string, unknown>,
): asserts condition {
  if (!condition) throw new InvariantError(message, details);
}

/** Wrong decorators or configuration: all problems at once, because nobody wants to boot ten times to see ten. */
export class RefusedToBootError extends PawlError {
  readonly problems: readonly string[];

  constructor(code: string, what: string, problems: readonly string[]) {
    super(code, `${what}\n${problems.map((problem, n) => `  ${n + 1}. ${problem}`).join('\n')}`, {
      problems,
    });
    this.problems = problems;
  }
}
