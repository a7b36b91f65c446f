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
