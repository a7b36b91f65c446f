import type { Duration } from '@pawl/core';
import type { MessageClass, Route } from '@pawl/messaging';
import type { CompensationContext, Confirmation, StepContext } from '../model/step-context.js';
import type { AllItemsSeen } from './all-items-seen.js';
import type { DecoratesStatus, Querying, UpdateOptions, Updating } from './asking-options.js';

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
  /** Undoes what the run's steps have done; `to` is a final state. Late once a step with `noReturn` has begun. */
  readonly undo?: boolean;
}

interface SharedOptions<Data, Event> {
  /** Whether an event says the same as the applied one of its item, key or type. Default: equal content. Pure. */
  readonly same?: (data: Readonly<Data>, event: Event) => boolean;
  /** Forwards the event to another service, when it is applied, in the same transaction. */
  readonly publish?: Route;
}

/**
 * How a step is run and tried again. Without `after`, `forEach` and the like the steps of a state run one after the other, in the order of
 * their declaration.
 */
export interface StepOptions<Data, State extends string, After extends string = string> {
  readonly in: State;
  /** Moves the run when the step is done, which is when all steps of its state are; only one step of a state can. */
  readonly to?: State;
  /**
   * `transactional` (the default): writes through `tx`, which commit with the step's record, exactly once.
   * `external`: calls another system, with an idempotency key that never changes.
   */
  readonly effect?: 'transactional' | 'external';
  /**
   * Of an external step. `at-least-once` (the default): an attempt in doubt is made again, under the same key. `at-most-once`: it is never
   * made again; it is a row in the loss ledger, the run goes on, and only a person redrives it.
   */
  readonly guarantee?: 'at-least-once' | 'at-most-once';
  /** Steps of the same state that have to be done first. `[]`: none, it begins at once. Default: the step declared before it. */
  readonly after?: readonly After[];
  /** Runs the step once for each item, each with a key, attempts and an outcome of its own. */
  readonly forEach?: ForEachOptions<Data>;
  /** How long after it became due it is begun. Survives restarts. */
  readonly delay?: Duration;
  /** How long all of its attempts together may take, counted from when it became due; then it has failed. */
  readonly deadline?: Duration;
  /** The point of no return: once it has begun, the run is neither cancelled nor undone any more. Default false. */
  readonly noReturn?: boolean;
  /** What follows when it has given up: all is undone (the default), or the run stops and a person decides. */
  readonly onFailure?: 'compensate' | 'stop';
  readonly retry?: RetryOptions;
  /** How long one attempt may take. Default '30s'. */
  readonly timeout?: Duration;
  /** Never shares a transaction with its neighbours. Default false. */
  readonly alone?: boolean;
}

/** The items that a step runs for, at most 1,000,000. */
export interface ForEachOptions<Data> {
  /** A list, or how many there are. Pure; read once, when the step begins. */
  readonly items: (
    data: Readonly<Data>,
    outputs: Readonly<Record<string, unknown>>,
  ) => readonly unknown[] | number;
  /** Items at work at a time. Default 8. */
  readonly concurrency?: number;
  /** Whether an item that gives up ends the step (the default), or is counted while the others go on. */
  readonly onItemFailure?: 'stop' | 'continue';
}

/** How a compensation is run and tried again. One that gives up holds up no other; the run is then `compensation_failed`. */
export interface CompensateOptions {
  /** Default: as its step. */
  readonly effect?: 'transactional' | 'external';
  readonly retry?: RetryOptions;
  /** How long one attempt may take. Default '30s'. */
  readonly timeout?: Duration;
}

/** What is asked before an attempt in doubt is made again, or undone. */
export interface ConfirmOptions {
  /** When nobody can say: a person is asked (the default), or the attempt is made again under its key. */
  readonly unknown?: 'person' | 'retry';
  /** A question that fails is asked again; then it counts as unknown. */
  readonly retry?: RetryOptions;
  /** How long one question may take. Default '30s'. */
  readonly timeout?: Duration;
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
export type TimeoutOptions<Data, State extends string> = {
  readonly in: State | readonly State[];
} & Moment<Data> &
  Consequence<State>;

/** What happens to a run that has not ended by then, whatever its state. */
export type DeadlineOptions<Data, State extends string> = Moment<Data> & Consequence<State>;

/** When: so long after the state was entered (a deadline: the run was started), or at an instant that the data says. */
export type Moment<Data> =
  | { readonly after: Duration; readonly at?: never }
  /**
   * A date, its ISO text (with its zone), or milliseconds since 1970; nothing while there is none. One that is past fires at once. Pure: it is asked
   * again after each change of the data, and the timer follows; one that has fired fires again at a new instant. What it throws, or an invalid date,
   * asks for a person, and the run goes on without this timer.
   */
  | {
      readonly at: (data: Readonly<Data>) => Date | string | number | null | undefined;
      readonly after?: never;
    };

/** What a timeout does. It beats an event that comes after its instant, whichever is decided first. */
export type Consequence<State extends string> =
  | {
      readonly to: State;
      /** Undoes what the run's steps have done; `to` is a final state. */
      readonly undo?: boolean;
      readonly attention?: never;
    }
  /** Why a person should look; the run stays. */
  | { readonly attention: string; readonly to?: never; readonly undo?: never };

/** A decorator for methods that can be called like `Method`; the others are compile errors. */
export type Decorates<Method> = <Declared extends Method>(
  target: object,
  member: string,
  descriptor: TypedPropertyDescriptor<Declared>,
) => void;

/** A class that has the step. */
type Has<Step extends string> = Record<Step, (...args: never[]) => Promise<unknown>>;

/** What a step of a class returns. */
type OutputOf<Class, Step extends string> =
  Class extends Record<Step, (...args: never[]) => Promise<infer Output>> ? Output : never;

/** A decorator for a step: the compiler knows the steps that it waits for. */
export type DecoratesStep<Data, After extends string> = <
  Declared extends (context: StepContext<Data>) => Promise<unknown>,
>(
  target: string extends After ? object : Has<After>,
  member: string,
  descriptor: TypedPropertyDescriptor<Declared>,
) => void;

/** A decorator for the compensation of a step: the compiler knows the step, and what it returns. */
export type DecoratesCompensation<Data, Step extends string> = <
  Class extends Has<Step>,
  Declared extends (context: CompensationContext<Data, OutputOf<Class, Step>>) => Promise<unknown>,
>(
  target: Class,
  member: string,
  descriptor: TypedPropertyDescriptor<Declared>,
) => void;

/** A decorator for the confirmation of a step: it answers what the step would have returned. */
export type DecoratesConfirmation<Data, Step extends string> = <
  Class extends Has<Step>,
  Declared extends (context: StepContext<Data>) => Promise<Confirmation<OutputOf<Class, Step>>>,
>(
  target: Class,
  member: string,
  descriptor: TypedPropertyDescriptor<Declared>,
) => void;

/** Which runs a migration is for; they become runs of the class that declares it. */
export interface MigrateOptions {
  /** An earlier version of the workflow. */
  readonly from: number;
}

/**
 * A pure function from a run of an earlier version to the state and data that it goes on with. `never`: what the old version's states and data were is
 * for the method to say, `(run: { state: 'Filed' | 'Checked'; data: FormOfVersion1 })`. A state that is named needs `as const`.
 */
export type Migration<Data, State extends string> = (run: {
  readonly state: never;
  readonly data: never;
}) => {
  readonly state: State;
  readonly data: Data;
};

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
  Step<const After extends string = never>(
    options: StepOptions<Data, State, After>,
  ): DecoratesStep<Data, NoInfer<After>>;
  /** A method that undoes a step that is done or in doubt, newest step first. It is told what the step returned. */
  Compensate<Step extends string>(step: Step, options?: CompensateOptions): DecoratesCompensation<Data, Step>;
  /** A method that finds out whether an attempt in doubt took effect; it acts on nothing. */
  Confirm<Step extends string>(step: Step, options?: ConfirmOptions): DecoratesConfirmation<Data, Step>;
  /** A method that folds the passing of time into the run's data; it may be empty. */
  Timeout(options: TimeoutOptions<Data, State>): Decorates<(data: Data) => undefined | void>;
  /** As `Timeout`, for the run as a whole. */
  Deadline(options: DeadlineOptions<Data, State>): Decorates<(data: Data) => undefined | void>;
  /**
   * A method that changes the run for a caller, who waits for its answer: `client.update`. Pure, as a handler is. It throws an
   * `UpdateRefusedError` to say no.
   */
  Update<Input = never>(options: UpdateOptions<State, Input>): Decorates<Updating<Data, NoInfer<Input>>>;
  /** A method that answers from the run's data: `client.query`. Pure; it changes nothing. */
  Query(): Decorates<Querying<Data>>;
  /** The method `status`, which says how the run stands in words for its customer: `client.status`. Pure; it changes nothing. */
  Status(): DecoratesStatus<Data, State>;
  /** A method that turns a run of an earlier version into one of this version; `WorkflowVersions.migrate` calls it. */
  Migrate(options: MigrateOptions): Decorates<Migration<Data, State>>;
}
