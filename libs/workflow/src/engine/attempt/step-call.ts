import { PawlError, sqlErrorKind } from '@pawl/core';
import { messageTypeOf, outgoing, type OutgoingMessage } from '@pawl/messaging';
import type { EntityManager } from 'typeorm';
import { isDeclaredRefusal, NoEffectError } from '../../machine/steps/no-effect-error.js';
import { StepDeadlineError } from '../../machine/steps/step-deadline-error.js';
import { PermanentError } from '../../machine/steps/permanent-error.js';
import type { Run } from '../../model/run.js';
import type { StepContext } from '../../model/step-context.js';
import { type Attempted, idempotencyKeyOf, messageIdOf } from './attempt.js';
import { freezeDeep } from './freeze-deep.js';
import { StoppingError } from '../activate/lease-keeper.js';
import type { StepRequests } from './step-requests.js';

/** What one attempt at a step, its compensation or its confirmation is made with. */
export interface StepCall {
  /** Whose key it has, and whose messages it sends. */
  readonly attempted: Attempted;
  readonly timeoutMs: number;
  /** What is left of the time for all attempts at it. Milliseconds. */
  readonly deadlineMs?: number | undefined;
  /** How long until the attempt must not have any effect any more, if somebody counts on that. Milliseconds. */
  readonly leftMs?: number;
  readonly perform: (context: StepContext<unknown>) => Promise<unknown>;
  /** What the method is given beside the context of a step. */
  readonly besides?: object;
  readonly run: Run;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly attempt: number;
  /** Of a step that runs for each item of a list. */
  readonly item?: unknown;
  /** Absent for an external step. */
  readonly manager?: EntityManager;
  /** Absent for a transactional step. */
  readonly requests?: StepRequests;
  /** Aborted when the lease is lost or the process shuts down. */
  readonly signal: AbortSignal;
  /** It is never made again: once begun it may end although the process shuts down, as far as that waits for it. */
  readonly finishes?: boolean;
}

export interface StepResult {
  /** Plain JSON. */
  readonly output: unknown;
  /** What `send` has kept, in order. */
  readonly messages: readonly OutgoingMessage[];
}

/** Largest JSON of a step's output. Larger results belong in a table of the application's own. */
export const OUTPUT_BYTES_MAX = 64 * 1024;

/** The step threw, timed out or returned what can not be kept: its attempt has failed. `cause` is what was thrown. */
export class StepFailedError extends PawlError {
  constructor(
    readonly step: string,
    cause: unknown,
    /** Its time was up, or the lease lost, before it ended: it was told, and whether it has ended nobody knows. */
    readonly cutOff = false,
  ) {
    super('step_failed', `Step ${step} failed.`, { step }, cause);
  }
}

/**
 * Runs the user's code of one attempt, bounded by the step's timeout and by what is left until its deadline.
 * @throws StepFailedError; a SQL error that is the transaction's, not the step's, is thrown as it is
 */
export async function callStep(call: StepCall): Promise<StepResult> {
  const { name } = call.attempted;
  const limit = limitOf(call);
  const messages: OutgoingMessage[] = [];
  try {
    // Lost or stopped meanwhile, or too late: no effect is begun that nobody could record.
    assertBeginnable(call, limit);
    const output: unknown = await Promise.race([
      call.perform(contextOf(call, limit.signal, messages)),
      limit.passed,
    ]);
    return { output: kept(name, output), messages };
  } catch (error) {
    const cutOff = limit.signal.aborted && !isDeclaredRefusal(error);
    throw isTransactionsOwn(error) ? error : new StepFailedError(name, error, cutOff);
  } finally {
    limit.dispose();
  }
}

/** @throws NoEffectError */
function assertBeginnable({ attempted: { name }, leftMs = 1 }: StepCall, { signal }: Limit): void {
  const { reason } = signal as { reason?: unknown };
  if (signal.aborted)
    throw new NoEffectError(`Step ${name} was not begun: ${(reason as Error).message}`, {}, reason);
  if (leftMs <= 0) throw new NoEffectError(`Step ${name} was not begun: its intent took too long to record.`);
}

function contextOf(call: StepCall, signal: AbortSignal, messages: OutgoingMessage[]): StepContext<unknown> {
  const { attempted, run, outputs, attempt, manager } = call;
  // What a step wrote there would be gone after a crash, and there without one.
  freezeDeep([run.data, outputs]);
  const context: StepContext<unknown> = {
    runId: run.id,
    key: run.key,
    data: run.data as Readonly<unknown>,
    outputs,
    idempotencyKey: idempotencyKeyOf(run, attempted),
    attempt,
    index: attempted.item,
    item: call.item,
    signal,
    get tx(): EntityManager {
      if (manager) return manager;
      throw new PawlError(
        'no_transaction',
        `Step ${attempted.name} is external and has no transaction: write in a transactional step before or after it.`,
      );
    },
    request: async (url, wanted) => {
      if (call.requests) return call.requests.make(url, wanted, signal);
      throw new PawlError(
        'no_request',
        `Step ${attempted.name} is transactional: ask other services in a step with effect: 'external'.`,
      );
    },
    send: (route, event) => {
      const id = messageIdOf(run, attempted, messages.length);
      const type = event.constructor as Parameters<typeof messageTypeOf>[0];
      messages.push(outgoing(type, { ...event }, { route, key: run.key, id }));
    },
  };
  // Not a copy: that would read `tx`, which an external step has not.
  return Object.assign(context, call.besides);
}

interface Limit {
  /** Aborted when the time of the step is up, and with the call's own signal. */
  readonly signal: AbortSignal;
  /** Rejects at the same moment, for a step that does not listen to it. */
  readonly passed: Promise<never>;
  dispose(): void;
}

/**
 * By a timer of its own: Node holds the parts of `AbortSignal.any([..., AbortSignal.timeout()])` weakly, and once this code is optimised the garbage
 * collector takes the timeout away before it fires (nodejs/node#54614).
 */
function limitOf(call: StepCall): Limit {
  const {
    attempted,
    attempt,
    timeoutMs,
    deadlineMs = timeoutMs,
    leftMs = timeoutMs,
    signal,
    finishes,
  } = call;
  const controller = new AbortController();
  const passed = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error), {
      once: true,
    });
  });
  // Nobody waits for it any more once the step has answered.
  passed.catch(() => undefined);
  const { name } = attempted;
  const timer = setTimeout(
    () =>
      controller.abort(
        deadlineMs < timeoutMs ? new StepDeadlineError(name, attempt) : new StepTimeoutError(name, timeoutMs),
      ),
    Math.min(timeoutMs, deadlineMs, leftMs),
  );
  const follow = (): void => {
    if (!finishes || !(signal.reason instanceof StoppingError)) controller.abort(signal.reason);
  };
  if (signal.aborted) controller.abort(signal.reason);
  else signal.addEventListener('abort', follow, { once: true });
  const dispose = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', follow);
  };
  return { signal: controller.signal, passed, dispose };
}

/** An attempt took longer than its step allows; an external one is in doubt. */
export class StepTimeoutError extends PawlError {
  constructor(name: string, timeoutMs: number) {
    super('step_timeout', `Step ${name} took longer than its timeout of ${timeoutMs} ms.`, {
      step: name,
      timeoutMs,
    });
  }
}

/** As it will be read after a crash: later steps see the same with or without one, also where a class or a Date was returned. */
function kept(step: string, output: unknown): unknown {
  const text = jsonOf(step, output);
  const bytes = Buffer.byteLength(text);
  if (bytes <= OUTPUT_BYTES_MAX) return JSON.parse(text) as unknown;
  throw unkept(
    'output_too_large',
    `Step ${step} returned ${bytes} bytes of JSON, more than ${OUTPUT_BYTES_MAX}.`,
  );
}

function jsonOf(step: string, output: unknown): string {
  try {
    return JSON.stringify(output) ?? 'null';
  } catch (error) {
    throw unkept('output_invalid', `Step ${step} returned what is no JSON: ${String(error)}.`, error);
  }
}

/** No further attempt would return anything else; what an external one has done is done. */
function unkept(code: string, message: string, cause?: unknown): PermanentError {
  return new PermanentError(message, { code, inDoubt: true }, cause);
}

/** A deadlock or a lost connection, reported by TypeORM or pg, ends the transaction whatever the step does. */
function isTransactionsOwn(error: unknown): boolean {
  const { name = '', driverError } = (error ?? {}) as { name?: string; driverError?: unknown };
  const fromDriver = driverError !== undefined || name.startsWith('QueryRunner');
  const kind = sqlErrorKind(error);
  return fromDriver && (kind === 'retry' || kind === 'unavailable');
}
