import type { Duration } from '@pawl/core';
import type { MessageClass, Route } from '@pawl/messaging';
import type { StepContext } from '../model/step-context.js';
import type { AllItemsSeen } from './all-items-seen.js';

/** Name, version and states of a workflow. */
export interface WorkflowShape<State extends string> {
  /** Raised when states, transitions, events or steps change: runs keep the version they were started with. From 1. */
  readonly version: number;
  /** In rank order: a run moves to later ones only. */
  readonly states: readonly [State, ...State[]];
  /** Where runs end. Every other state needs an exit. */
  readonly final: readonly NoInfer<State>[];
}

/** Which events a handler takes: those that start a run, or those of a run that is there. */
export type OnOptions<Data, State extends string, Event> =
  StartOptions<Data, State, Event> | AcceptOptions<Data, State, Event>;

export interface StartOptions<Data, State extends string, Event> extends SharedOptions<Data, Event> {
  readonly start: true;
  /** The first state. */
  readonly to: State;
  readonly in?: never;
}

/** An event with neither `item` nor `key` is applied once per run. */
export interface AcceptOptions<Data, State extends string, Event> extends SharedOptions<Data, Event> {
  readonly start?: false;
  /** The states that accept the event; in an earlier one it is early, and waits. */
  readonly in: State | readonly State[];
  /** Without it the run stays where it is. */
  readonly to?: State;
  /** While it does not hold, the event is early. Pure. */
  readonly when?: ((data: Readonly<Data>, event: Event) => boolean) | AllItemsSeen<Event>;
  /** The event is about one item, with an index from 0 on: each is applied once. */
  readonly item?: (event: Event) => number;
  /** The event has a semantic key, at most 200 characters: each is applied once. */
  readonly key?: (event: Event) => string;
  /** What becomes of an event that comes too late and was never applied. Default `record`: a row in the loss ledger. */
  readonly late?: 'record' | 'ignore';
  /** How long it may wait before it is a dead letter. Default '24h'. */
  readonly parkedFor?: Duration;
  /** This event may win or lose a race: which of two comes first decides, and the other one is late. */
  readonly competes?: boolean;
}

interface SharedOptions<Data, Event> {
  /** Whether an event says the same as the applied one of its item, key or type. Default: equal content. Pure. */
  readonly same?: (data: Readonly<Data>, event: Event) => boolean;
  /** Forwards the event to another service, when it is applied, in the same transaction. */
  readonly publish?: Route;
}

/** How a step is run and tried again. Steps of one state run in the order of their declaration. */
export interface StepOptions<State extends string> {
  readonly in: State;
  /** Moves the run when the step is done; only the last step of a state can. */
  readonly to?: State;
  /**
   * `transactional` (the default): writes through `tx`, which commit with the step's record, exactly once.
   * `external`: calls another system, at least once, with an idempotency key that never changes.
   */
  readonly effect?: 'transactional' | 'external';
  readonly retry?: RetryOptions;
  /** How long one attempt may take. Default '30s'. */
  readonly timeout?: Duration;
  /** Never shares a transaction with its neighbours. Default false. */
  readonly alone?: boolean;
}

/** When a failed attempt is tried again. */
export interface RetryOptions {
  /** All attempts, the first included. Default 8. */
  readonly attempts?: number;
  /** Default `exponential`: the delay doubles, with jitter. */
  readonly backoff?: 'fixed' | 'exponential';
  /** The first delay. Default '200ms'. */
  readonly delay?: Duration;
  /** No delay is longer. Default '30s', or `delay` if that is longer. */
  readonly delayMax?: Duration;
  /** Answers false for an error that no further attempt can mend. */
  readonly retryIf?: (error: unknown) => boolean;
}

/** What happens when a run stays in a state for too long: it moves on, or asks for a person. */
export type TimeoutOptions<State extends string> = {
  readonly in: State | readonly State[];
  /** Counted from the instant at which the state was entered. */
  readonly after: Duration;
} & (
  | { readonly to: State; readonly attention?: never }
  /** Why a person should look; the run stays. */
  | { readonly attention: string; readonly to?: never }
);

/** A decorator for methods that can be called like `Method`; the others are compile errors. */
export type Decorates<Method> = <Declared extends Method>(
  target: object,
  member: string,
  descriptor: TypedPropertyDescriptor<Declared>,
) => void;

/** A pure reducer. `undefined | void` and not `void`: an async function would pass for the latter. */
export type Reducer<Data, Event> = (data: Data, event: Event) => undefined | void;

/** The decorators of one workflow: they know its states, its data and the class of each event. */
export interface WorkflowDecorators<Data extends object, State extends string> {
  /** Marks the class whose instance, an ordinary provider, is the workflow. */
  Workflow(): (target: abstract new (...args: never[]) => object) => void;
  /** A method that folds an event into the run's data. Pure: it changes `data` in place, and nothing else. */
  On<Event extends object>(
    type: MessageClass<Event>,
    options: OnOptions<Data, State, NoInfer<Event>>,
  ): Decorates<Reducer<Data, Event>>;
  /** A method that acts. What it returns is kept under its name. */
  Step(options: StepOptions<State>): Decorates<(context: StepContext<Data>) => Promise<unknown>>;
  /** A method that folds the passing of time into the run's data; it may be empty. */
  Timeout(options: TimeoutOptions<State>): Decorates<(data: Data) => undefined | void>;
}
