import type { Json, Transaction } from '@pawl/core';
import type { EntityManager } from 'typeorm';

/** What a handler is given beside the payload. */
export interface WebhookContext {
  readonly source: string;
  /** As the source has named this delivery. */
  readonly id: string;
  /** Of the transaction that keeps the id. It is taken away when the handler ends: await every query. */
  readonly manager: EntityManager;
  /** The same transaction, for Pawl's own calls: `workflows.deliver(..., { tx })`. */
  readonly tx: Transaction;
}

export type WebhookHandling = (payload: Json, context: WebhookContext) => Promise<void> | void;

/**
 * Makes a provider's method the handler of the webhooks of a source, `(payload, { id, manager })`. It is called for what is verified, once per id
 * within the retention; what it writes through `manager` commits together with the id. If it throws, the source is answered 5xx, nothing is kept,
 * and what the source sends again is tried again.
 */
export function Webhook(source: string) {
  return <Handler extends WebhookHandling>(
    _target: object,
    _member: string | symbol,
    descriptor: TypedPropertyDescriptor<Handler>,
  ): void => {
    if (descriptor.value) Object.defineProperty(descriptor.value, HANDLES, { value: source });
  };
}

const HANDLES = Symbol.for('pawl.webhook');

/** The source whose webhooks a method handles, by its `@Webhook`. */
export function webhookSourceOf(method: unknown): string | undefined {
  if (typeof method !== 'function') return undefined;
  return (method as { [HANDLES]?: string })[HANDLES];
}
