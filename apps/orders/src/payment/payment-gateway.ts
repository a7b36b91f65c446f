import { PawlError } from '@pawl/core';
import { PermanentError } from '@pawl/workflow';

export interface Charge {
  readonly orderId: string;
  readonly amountCents: number;
}

export interface ChargeOptions {
  /** Under one key the gateway charges once, however often it is asked. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
}

/** The payment provider: `POST /charges` with the header `Idempotency-Key` answers `{ "chargeId": "..." }`. */
export class PaymentGateway {
  private readonly charges: URL;

  /** @param url the provider's address, with or without a path and a slash at its end */
  constructor(url: string) {
    this.charges = new URL(url);
    this.charges.pathname = this.charges.pathname.replace(/\/*$/, '/charges');
  }

  /**
   * Charges the customer of an order.
   * @throws PermanentError for a no that asking again does not change: 4xx, but not 409 (the key is in use) and 429 (too fast).
   * @throws PaymentFailedError for every other answer; a lost connection and an abort throw as `fetch` does.
   */
  async charge(charge: Charge, { idempotencyKey, signal }: ChargeOptions): Promise<{ chargeId: string }> {
    const response = await fetch(this.charges, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
      body: JSON.stringify(charge),
      signal,
    });
    const text = await response.text();
    if (!response.ok) throw refusal(response.status);
    return { chargeId: chargeIdOf(text) };
  }
}

function refusal(status: number): Error {
  const isFinal = status >= 400 && status < 500 && status !== 409 && status !== 429;
  const details = { status };
  return isFinal
    ? new PermanentError(`The payment gateway refuses the charge (HTTP ${status}).`, details)
    : new PaymentFailedError(`The payment gateway answers HTTP ${status}.`, details);
}

function chargeIdOf(text: string): string {
  const { chargeId } = parsed(text);
  if (typeof chargeId === 'string' && chargeId.length > 0 && chargeId.length <= CHARGE_ID_LENGTH_MAX) {
    return chargeId;
  }
  throw new PaymentFailedError('The payment gateway answers without a chargeId.');
}

function parsed(text: string): { readonly chargeId?: unknown } {
  try {
    return (JSON.parse(text) ?? {}) as { chargeId?: unknown };
  } catch (cause) {
    throw new PaymentFailedError('The payment gateway answers no JSON.', {}, cause);
  }
}

const CHARGE_ID_LENGTH_MAX = 200;

/** The charge may or may not have happened: ask again under the same key. */
export class PaymentFailedError extends PawlError {
  constructor(message: string, details?: Record<string, unknown>, cause?: unknown) {
    super('payment_failed', message, details, cause);
  }
}
