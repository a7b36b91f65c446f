import type { RangeSet } from '@pawl/core';

/** What the receiver of a settlement question knows. */
export interface SettlingView {
  readonly closed: RangeSet;
  /** Of these, the numbers that a settlement has closed: nobody has handled them. */
  readonly settled: RangeSet;
}

export interface Settling {
  /** Its message took effect, or is a dead letter: whoever waived it came too late. */
  readonly handled: readonly number[];
  /** It did not, and never will: its number is closed, a copy in flight is dropped. */
  readonly unseen: readonly number[];
  /** Of the unseen ones, those to close now. */
  readonly closing: readonly number[];
}

/**
 * The receiver's answer about numbers that shall never come. Asked again it answers the same: what a settlement has closed stays
 * `unseen`. What would make the set of closed numbers too long is not answered yet.
 */
export function settle(
  { closed, settled }: SettlingView,
  numbers: readonly number[],
  { rangesMax }: { readonly rangesMax: number },
): Settling {
  const [handled, unseen, closing]: [number[], number[], number[]] = [[], [], []];
  let marked = closed;
  for (const number of numbers) {
    if (closed.has(number)) (settled.has(number) ? unseen : handled).push(number);
    else if (!marked.has(number) && marked.add(number).rangeCount <= rangesMax) {
      marked = marked.add(number);
      unseen.push(number);
      closing.push(number);
    }
  }
  return { handled, unseen, closing };
}

/**
 * Whether an acknowledgement ends a message. Not one that was waived: its number may have been closed by the settlement, and only the
 * answer to that tells whether the message took effect.
 */
export function endsWith(
  closed: RangeSet,
  { sequence, waived }: { readonly sequence: number; readonly waived: boolean },
): boolean {
  return !waived && closed.has(sequence);
}
