import type { Route } from '@pawl/messaging';
import type { RetryPolicy } from './retry-policy.js';
import type { RunStatus } from './run.js';
import type { CompensationContext, Confirmation, StepContext } from './step-context.js';

/** A verified workflow, as plain data and functions: what the decorators of one class and version declare. */
export interface Definition {
  readonly workflow: string;
  readonly version: number;
  /** In rank order: a run's position only grows. */
  readonly states: readonly string[];
  readonly final: readonly string[];
  /** All in the order in which the class declares them. */
  readonly handlers: readonly EventHandler[];
  readonly steps: readonly StepDefinition[];
  readonly timeouts: readonly TimeoutDefinition[];
  readonly updates: readonly UpdateHandler[];
  readonly queries: readonly QueryHandler[];
  readonly status?: StatusView;
  /** How runs of earlier versions become runs of this one, at most one for each. */
  readonly migrations: readonly MigrationDefinition[];
}

/** What of an event is unique within a run: nothing but its type, an item index, or a semantic key. */
export type SubjectRule =
  | { readonly kind: 'single' }
  | { readonly kind: 'item'; readonly of: (event: unknown) => number }
  | { readonly kind: 'key'; readonly of: (event: unknown) => string };

export interface EventHandler {
  /** The method's name, for messages to people. */
  readonly member: string;
  /** The event's wire name and version. */
  readonly type: string;
  readonly typeVersion: number;
  /** What is wrong with a payload; empty if nothing is. */
  readonly problems: (payload: unknown) => readonly string[];
  readonly start: boolean;
  /** The states that accept the event; empty for a start event. */
  readonly in: readonly string[];
  readonly to?: string;
  readonly subject: SubjectRule;
  readonly when?: Guard;
  /** Whether an event with a known subject says the same as the one applied; default: equal content digests. */
  readonly same?: (data: unknown, event: unknown) => boolean;
  /** What becomes of a late event that was never applied: a row in the loss ledger, or nothing. */
  readonly late: 'record' | 'ignore';
  /** The race of this event against others of its states is declared: whichever comes second may be late. */
  readonly competes?: boolean;
  /** Enters `to`, and undoes what was done. */
  readonly undo?: boolean;
  /** Forwards the event, when applied, in the same transaction. */
  readonly publish?: Route;
  /** How long it may stay parked. Milliseconds. */
  readonly parkedMaxMs: number;
  /** Pure reducer: may change `data` in place, answers nothing. */
  readonly fold: (data: unknown, event: unknown) => void;
}

/** A condition under which an event is accepted; while it does not hold the event is early. */
export interface Guard {
  readonly name: string;
  readonly holds: (data: unknown, event: unknown, items: ItemsSeen) => boolean;
  /** For `allItemsSeen`: the event says how many items of which type there are. */
  readonly announces?: { readonly type: string; readonly count: (event: unknown) => number };
}

/** Which item indexes of an event type the run has folded. */
export interface ItemsSeen {
  covers(type: string, count: number): boolean;
}

export interface StepDefinition {
  readonly name: string;
  readonly in: string;
  readonly to?: string;
  readonly effect: 'transactional' | 'external';
  /** Of an external step: whether an attempt in doubt is made again, or is a loss that a person sees to. */
  readonly guarantee: 'at-least-once' | 'at-most-once';
  /** Names of the steps of its state that have to be done first. */
  readonly after: readonly string[];
  /** Runs once for each item. */
  readonly forEach?: ForEach;
  /** How long after it became due it is begun. Milliseconds. */
  readonly delayMs?: number;
  /** How long all of its attempts together may take. Milliseconds. */
  readonly deadlineMs?: number;
  /** Once it has begun nothing of the run is undone any more. */
  readonly noReturn: boolean;
  /** What follows when it has given up. */
  readonly onFailure: 'compensate' | 'stop';
  readonly retry: RetryPolicy;
  /** How long one attempt may take before its signal is aborted. Milliseconds. */
  readonly timeoutMs: number;
  /** Never shares a transaction with its neighbours. */
  readonly alone: boolean;
  readonly run: (context: StepContext<unknown>) => Promise<unknown>;
  readonly compensation?: CompensationDefinition;
  readonly confirmation?: ConfirmationDefinition;
}

/** The items that a step runs for. */
export interface ForEach {
  /** Pure. A list, or how many there are; read once, when the step begins. */
  readonly items: (data: unknown, outputs: Readonly<Record<string, unknown>>) => readonly unknown[] | number;
  /** Items at work at a time. */
  readonly concurrency: number;
  /** Whether an item that gives up ends the step, or is counted while the others go on. */
  readonly onItemFailure: 'stop' | 'continue';
}

/** How a step's effect is undone. */
export interface CompensationDefinition {
  readonly name: string;
  readonly effect: 'transactional' | 'external';
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly run: (context: CompensationContext<unknown, unknown>) => Promise<unknown>;
}

/** How it is found out whether an attempt in doubt took effect. */
export interface ConfirmationDefinition {
  readonly name: string;
  /** What follows when nobody can say: a person is asked, or the attempt is made again under its key. */
  readonly unknown: 'person' | 'retry';
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly run: (context: StepContext<unknown>) => Promise<Confirmation<unknown>>;
}

export interface TimeoutDefinition {
  readonly member: string;
  /** The state that it belongs to, or every state (`*`): then it is the deadline of the run. */
  readonly in: string;
  /** Counted from the instant at which the state was entered, or the run was started. Milliseconds. */
  readonly afterMs?: number;
  /** The instant, by the data: a Date, its ISO text or milliseconds since 1970; nothing while there is none. Pure. */
  readonly at?: (data: unknown) => unknown;
  readonly to?: string;
  /** Enters `to`, and undoes what was done. */
  readonly undo: boolean;
  /** Marks the run as needing a person, with this reason, and stays. */
  readonly attention?: string;
  readonly fold: (data: unknown) => void;
}

/** How a run of an earlier version becomes one of this. */
export interface MigrationDefinition {
  readonly member: string;
  readonly from: number;
  /** Pure: the state and the data that the run goes on with. */
  readonly migrate: (run: { readonly state: string; readonly data: unknown }) => unknown;
}

/** A change that a caller asks for, and whose answer it waits for. */
export interface UpdateHandler {
  readonly member: string;
  /** The states that accept it. */
  readonly in: readonly string[];
  readonly to?: string;
  /** Enters `to`, and undoes what was done. */
  readonly undo?: boolean;
  /** Wire name and version of the declared input. */
  readonly inputType?: string;
  /** What is wrong with an input; empty if nothing is. */
  readonly problems: (input: unknown) => readonly string[];
  /** Pure: may change `data` in place, answers the caller, throws a refusal to say no. */
  readonly apply: (data: unknown, input: unknown) => unknown;
}

/** A question about a run's data. */
export interface QueryHandler {
  readonly member: string;
  /** Pure; changes nothing. */
  readonly answer: (data: unknown, args: unknown) => unknown;
}

/** How a run's status is told to its customer. */
export interface StatusView {
  readonly member: string;
  /** Pure; changes nothing. */
  readonly answer: (
    data: unknown,
    position: {
      readonly status: RunStatus;
      readonly state: string;
      readonly attention: string | null;
      readonly outputs: Readonly<Record<string, unknown>>;
    },
  ) => unknown;
}

/** The state of a timeout that belongs to the run as a whole. */
export const EVERY_STATE = '*';
