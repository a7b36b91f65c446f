import {
  type ExchangeClient,
  ExchangeGoneError,
  ExchangeInvalidError,
  ExchangeRefusedError,
  requestIdOf,
} from '@pawl/messaging';
import type { Slots } from '@pawl/core';
import { PermanentError } from '../../machine/steps/permanent-error.js';
import type { StepRequest } from '../../model/step-context.js';

/** What the ids of a step's requests follow from: the same for every attempt. */
export interface RequestsOrigin {
  readonly idempotencyKey: string;
  /** When the first attempt was recorded; milliseconds since 1970. */
  readonly intendedMs: number;
}

/**
 * The requests that one attempt of an external step makes of other services. Their ids are there before the first call, for they follow
 * from what the intent has recorded; so a crash at any point leaves the next attempt to ask under the same ones.
 */
export class StepRequests {
  private readonly made = new Map<string, string>();

  constructor(
    private readonly client: ExchangeClient,
    private readonly origin: RequestsOrigin,
  ) {}

  /** @throws PermanentError where asking again can not help; ExchangeUnansweredError, what the signal was aborted with */
  async make<Body, Answer>(
    url: string,
    { type, body, name = '' }: StepRequest<Body, Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { idempotencyKey, intendedMs } = this.origin;
    const id = requestIdOf(intendedMs, `${idempotencyKey}/${type.name}/${name}`);
    try {
      const answer = await this.client.request(url, { id, type, body, signal });
      this.made.set(id, url);
      return answer;
    } catch (error) {
      if (!isFinal(error)) throw error;
      // Gone: an earlier call under the id may have taken effect.
      const inDoubt = error instanceof ExchangeGoneError;
      throw new PermanentError(error.message, { code: error.code, ...error.details, inDoubt }, error);
    }
  }

  /**
   * Once the outcome of the step is kept: the other sides need not keep it any longer. Nobody waits for this, and where no slot is free or the
   * call gets lost, their windows see to it.
   */
  forget(slots: Slots): void {
    for (const [id, url] of this.made) {
      const [giveBack] = slots.tryAcquire(1);
      if (giveBack === undefined) return;
      void this.client
        .forget(url, id)
        .catch(() => undefined)
        .finally(giveBack);
    }
  }
}

type FinalError = ExchangeRefusedError | ExchangeGoneError | ExchangeInvalidError;

function isFinal(error: unknown): error is FinalError {
  return (
    error instanceof ExchangeRefusedError ||
    error instanceof ExchangeGoneError ||
    error instanceof ExchangeInvalidError
  );
}
