import type { ForEach, StepDefinition } from '../../model/definition.js';
import { attemptTimeout, retryPolicy } from './build-retry.js';
import type { MemberDeclaration } from '../declaration.js';
import type { ForEachOptions } from '../options.js';
import { methodOf, positive, type Report } from './reading.js';

type Declared = Extract<MemberDeclaration, { kind: 'step' }>;

/**
 * The step that one `@Step` declares; none if it is not on a method.
 * @param ofState all steps of its state, in the order of their declaration
 */
export function buildStep(
  instance: object,
  declared: Declared,
  ofState: readonly Declared[],
  report: Report,
): StepDefinition[] {
  const { member, options } = declared;
  const method = methodOf(instance, member, report);
  if (!method) return [];
  const { in: state, to, effect = 'transactional', guarantee = 'at-least-once', alone = false } = options;
  const { noReturn = false, onFailure = 'compensate', retry = {}, timeout = '30s' } = options;
  return [
    {
      name: member,
      in: state,
      ...(to !== undefined && { to }),
      effect,
      guarantee,
      after: predecessors(declared, ofState, report),
      ...(options.forEach && { forEach: forEachOf(options.forEach, member, report) }),
      ...(options.delay !== undefined && { delayMs: positive(options.delay, 'delay', member, report) }),
      ...(options.deadline !== undefined && {
        deadlineMs: positive(options.deadline, 'deadline', member, report),
      }),
      noReturn,
      onFailure,
      retry: retryPolicy(retry, member, report),
      timeoutMs: attemptTimeout(timeout, member, report),
      alone,
      run: (context) => method.call(instance, context) as Promise<unknown>,
    },
  ];
}

/** The step with `to` leaves the state, so it waits for all others; without `after` a step waits for the one before it. */
function predecessors(
  { member, options }: Declared,
  ofState: readonly Declared[],
  report: Report,
): readonly string[] {
  const others = ofState.map(({ member: name }) => name).filter((name) => name !== member);
  if (options.to !== undefined && options.after)
    report(
      member,
      'has `after` and `to`; the step with `to` waits for all of its state, so take `after` out',
    );
  if (options.to !== undefined) return others;
  if (options.after) return options.after;
  const before = ofState.findIndex((one) => one.member === member) - 1;
  return ofState[before] ? [ofState[before].member] : [];
}

function forEachOf(options: ForEachOptions<unknown>, member: string, report: Report): ForEach {
  const { items, concurrency = 8, onItemFailure = 'stop' } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > CONCURRENCY_MAX)
    report(member, `forEach.concurrency is ${concurrency}; give a whole number from 1 to ${CONCURRENCY_MAX}`);
  return {
    items: (data, outputs) => items(data as Readonly<unknown>, outputs),
    concurrency,
    onItemFailure,
  };
}

/** Each item at work may need a connection. */
const CONCURRENCY_MAX = 100;
