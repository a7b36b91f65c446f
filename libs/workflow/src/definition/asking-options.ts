import type { MessageClass } from '@pawl/messaging';
import type { RunStatus } from '../model/run.js';

/** Which states accept an update, and where it leads. */
export interface UpdateOptions<State extends string, Input> {
  /** In any other state it is refused; unlike an event it does not wait. */
  readonly in: State | readonly State[];
  /** Without it the run stays where it is. */
  readonly to?: State;
  /** Undoes what the run's steps have done; `to` is a final state. Refused once a step with `noReturn` has begun. */
  readonly undo?: boolean;
  /** A class with `@MessageType`: the input has to pass its schema. Without it any plain JSON is an input. */
  readonly input?: MessageClass<Input>;
}

/** What a method may answer. Plain JSON; a promise is none. `undefined` is nothing. */
export type PlainAnswer = string | number | boolean | null | undefined | (object & { readonly then?: never });

/** Makes an update: changes `data` in place, as a handler does, and answers whoever asked. */
export type Updating<Data, Input> = (data: Data, input: Input) => PlainAnswer | void;

/** Answers from the run's data, which is frozen. `Args` are the caller's. */
export type Querying<Data> = (data: Readonly<Data>, args: never) => PlainAnswer;

/** Where a run is and how far it has come, for its status. */
export interface StatusPosition<State extends string = string> {
  readonly status: RunStatus;
  readonly state: State;
  /** Why a person should look: for words such as "we are looking into it", never to be quoted. */
  readonly attention: string | null;
  /**
   * What its steps have returned, by name, also of those that were undone since. Of a step that runs for each item, from its beginning on:
   * `{ total, done, failed }`.
   */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** A decorator for the method `status`, whose answer `client.status` hands out. */
export type DecoratesStatus<Data, State extends string> = <
  Declared extends (data: Readonly<Data>, position: StatusPosition<State>) => PlainAnswer,
>(
  target: object,
  member: 'status',
  descriptor: TypedPropertyDescriptor<Declared>,
) => void;
