import { storableText } from './storable.js';

/** A handler, guard or comparison written by the user threw, or answered with a promise. */
export class UserCodeError extends Error {}

/**
 * Calls a pure function of the workflow class. A promise is refused: what it does later would happen outside the
 * transaction, after the verdict.
 */
export function callUserCode<T>(what: string, call: () => T): T {
  let answer: T;
  try {
    answer = call();
  } catch (error) {
    throw new UserCodeError(`${what} threw: ${messageOf(error)}`, { cause: error });
  }
  if (isPromise(answer)) {
    answer.then(undefined, () => undefined);
    throw new UserCodeError(`${what} returned a promise; handlers are pure, steps act`);
  }
  return answer;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function messageOf(error: unknown): string {
  const text = error !== null && typeof error === 'object' && 'message' in error ? error.message : error;
  return storableText(String(text).slice(0, DETAIL_LENGTH_MAX));
}

const DETAIL_LENGTH_MAX = 300;
