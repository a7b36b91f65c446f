import type { PublicStatus } from '../../machine/public-status.js';

/** Any class decorated with a workflow's `@Workflow()`. */
export type WorkflowClass = abstract new (...args: never[]) => object;

type Members<W extends WorkflowClass> = InstanceType<W>;

/** Methods that take the data and one thing more, and answer at once. */
type Answers<Method> = Method extends (data: never, given: never) => infer Answer
  ? Answer extends PromiseLike<unknown>
    ? false
    : true
  : false;

type Given<Method> = Method extends (...args: infer All) => unknown
  ? All extends [unknown, ...infer Rest]
    ? Rest
    : []
  : never;

type Answered<Method> = Method extends (...args: never[]) => infer Answer ? Answer : never;

/** The names of methods that can be an `@Update`. */
export type UpdateName<W extends WorkflowClass> = {
  [Name in keyof Members<W>]: [Answers<Members<W>[Name]>] extends [true] ? Name : never;
}[keyof Members<W>] &
  string;

/** The names of methods that can be a `@Query`: they answer something. */
export type QueryName<W extends WorkflowClass> = {
  [Name in UpdateName<W>]: [Answered<Members<W>[Name]>] extends [undefined | void] ? never : Name;
}[UpdateName<W>];

/** What is handed to a query besides its name: what its method takes besides the data. */
export type QueryArguments<W extends WorkflowClass, Name extends QueryName<W>> = Given<Members<W>[Name]>;

/** What is handed to an update besides its name: its input, if its method takes one, and options. */
export type UpdateArguments<W extends WorkflowClass, Name extends UpdateName<W>, Options> =
  Given<Members<W>[Name]> extends [infer Input]
    ? [input: Input, options?: Options]
    : [input?: Given<Members<W>[Name]>[0], options?: Options];

/** What a method answers. */
export type AnswerOf<W extends WorkflowClass, Name extends UpdateName<W>> = Answered<Members<W>[Name]>;

/** What the method `status` answers, or what every workflow can say. */
export type StatusOf<W extends WorkflowClass> =
  Members<W> extends { status: infer Method }
    ? [Answered<Method>] extends [undefined | void]
      ? PublicStatus
      : Answered<Method>
    : PublicStatus;
