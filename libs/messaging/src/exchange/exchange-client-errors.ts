import { PawlError } from '@pawl/core';

/** The handler of the other side said no, for good; nothing took effect. */
export class ExchangeRefusedError extends PawlError {
  constructor(
    /** As the handler gave it. */
    readonly reason: string,
    detail: string,
  ) {
    super('exchange_refused', `Refused (${reason}): ${detail}`, { reason });
  }
}

/**
 * The other side accepts the id no more: its time has left the window, or it was deleted. If an earlier call may have gone through, a
 * person has to find out what became of it; if none can have, ask under a new id.
 */
export class ExchangeGoneError extends PawlError {
  constructor(reason: string, detail: string) {
    super('exchange_gone', `Gone (${reason}): ${detail}`, { reason });
  }
}

/** The other side will never take this: its body is invalid or too large, or came with another one under the same id. */
export class ExchangeInvalidError extends PawlError {
  constructor(reason: string, detail: string) {
    super('exchange_invalid', `Invalid (${reason}): ${detail}`, { reason });
  }
}

/** All tries are spent without an answer: it took effect or did not. The same id tells, when asked again. */
export class ExchangeUnansweredError extends PawlError {
  constructor(tries: number, last: string, cause: unknown) {
    super(
      'exchange_unanswered',
      `No answer in ${tries} tries, the last: ${last}. Repeat it under the same id.`,
      { tries },
      cause,
    );
  }
}
