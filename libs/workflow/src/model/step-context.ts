import type { RequestType, Route } from '@pawl/messaging';
import type { EntityManager } from 'typeorm';

/** What a step is given. */
export interface StepContext<Data> {
  readonly runId: string;
  /** The run's business key. */
  readonly key: string;
  /** The folded data as of the claim; frozen: steps act, handlers fold. */
  readonly data: Readonly<Data>;
  /** What earlier steps of this run returned, by name. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** The same for every attempt, process and deploy: give it to the provider. */
  readonly idempotencyKey: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Of a step that runs for each item: its index from 0 on; else -1. */
  readonly index: number;
  /** Of a step that runs for each item of a list: the item. */
  readonly item: unknown;
  /** Aborted when the attempt times out, the lease is lost, or the process shuts down. */
  readonly signal: AbortSignal;
  /**
   * For a transactional step: writes through it commit together with the step's record, or not at all. It ends with the step.
   * An external step has none; using it throws.
   */
  readonly tx: EntityManager;
  /** Keeps a message that goes to the outbox when the step commits. */
  readonly send: (route: Route, event: object) => void;
  /**
   * For an external step: asks another service by its HTTP exchange, under an id that all attempts of this step share, so it takes
   * effect there once. The step's timeout bounds it. Nothing else is needed for its idempotency.
   * @param url where the other side serves its exchange, `https://labels.example/requests`
   * @throws PermanentError with `details.code`: `exchange_refused` (a final no), `exchange_gone` (the other side accepts the id no more),
   * `exchange_invalid`; any other error: it is asked again under the same id, by the next attempt
   */
  readonly request: <Body, Answer>(url: string, wanted: StepRequest<Body, Answer>) => Promise<Answer>;
}

/** What a step asks of another service. */
export interface StepRequest<Body, Answer> {
  readonly type: RequestType<Body, Answer>;
  /** Made of `data` and `outputs` only: every attempt has to ask the same. */
  readonly body: NoInfer<Body>;
  /** Tells apart requests of one type in one step. Default ''. */
  readonly name?: string;
}

/**
 * What a compensation is given: the context of a step, under a key of its own, and what is known of the effect that it undoes. `undoneKey` is the
 * idempotency key under which that was made, `idempotencyKey` the one to undo it under; `index` and `item` are those of the effect.
 */
export type CompensationContext<Data, Output> = StepContext<Data> & Undoing<Output>;

type Undoing<Output> =
  /** The step is done, and this is what it returned. */
  | { readonly outcome: 'done'; readonly output: Output; readonly undoneKey: string }
  /** An attempt may have taken effect: the compensation finds out, or undoes what may be there. */
  | { readonly outcome: 'unknown'; readonly output: undefined; readonly undoneKey: string };

/** What a `@Confirm` method answers: whether an attempt in doubt took effect. */
export type Confirmation<Output> =
  | { readonly happened: true; readonly output: Output }
  | { readonly happened: false }
  | { readonly happened: 'unknown' };

/** It did, and this is what the step would have returned. */
export function happened<Output>(output: Output): Confirmation<Output> {
  return { happened: true, output };
}

/** It did not, and will not: a no counts only after the deadline of the attempt, and is asked for again until then. */
export function didNotHappen(): Confirmation<never> {
  return { happened: false };
}

/** Nobody can say. */
export function unknown(): Confirmation<never> {
  return { happened: 'unknown' };
}
