import type { StepDefinition } from '../model/definition.js';
import type { MemberDeclaration } from './declaration.js';
import type { RetryOptions } from './options.js';
import { methodOf, positive, type Report } from './reading.js';

/** The step that one `@Step` declares; none if it is not on a method. */
export function buildStep(
  instance: object,
  { member, options }: Extract<MemberDeclaration, { kind: 'step' }>,
  report: Report,
): StepDefinition[] {
  const method = methodOf(instance, member, report);
  if (!method) return [];
  const { in: state, to, effect = 'transactional', retry = {}, timeout = '30s', alone = false } = options;
  const timeoutMs = positive(timeout, 'timeout', member, report);
  if (timeoutMs > TIMER_MAX_MS)
    report(member, `timeout of ${timeout} is longer than ${TIMER_MAX_MS} ms; use a @Timeout of the state`);
  return [
    {
      name: member,
      in: state,
      ...(to !== undefined && { to }),
      effect,
      retry: retryPolicy(retry, member, report),
      timeoutMs,
      alone,
      run: (context) => method.call(instance, context) as Promise<unknown>,
    },
  ];
}

function retryPolicy(options: RetryOptions, member: string, report: Report): StepDefinition['retry'] {
  const { attempts = 8, backoff = 'exponential', delay = '200ms', delayMax, retryIf } = options;
  if (!Number.isInteger(attempts) || attempts < 1) {
    report(member, `retry.attempts is ${attempts}; it counts all attempts, so it is a whole number from 1`);
  }
  const delayMs = positive(delay, 'retry.delay', member, report);
  const delayMaxMs =
    delayMax === undefined
      ? Math.max(DELAY_MAX_MS, delayMs)
      : positive(delayMax, 'retry.delayMax', member, report);
  if (delayMaxMs < delayMs)
    report(member, 'retry.delayMax is shorter than retry.delay; raise the one or lower the other');
  return { attemptsMax: attempts, backoff, delayMs, delayMaxMs, ...(retryIf && { retryIf }) };
}

const DELAY_MAX_MS = 30_000;
/** Node's timers can not wait longer. */
const TIMER_MAX_MS = 2 ** 31 - 1;
