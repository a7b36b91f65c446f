import { type Duration, toMilliseconds } from '@pawl/core';

/** Notes a problem of one member, or of the class as a whole (null). */
export type Report = (member: string | null, problem: string) => void;

/** One state or several, as a list. */
export function statesOf(states: string | readonly string[]): readonly string[] {
  return typeof states === 'string' ? [states] : states;
}

/** Milliseconds of a duration that has to be longer than nothing; what is not is reported. */
export function positive(duration: Duration, option: string, member: string, report: Report): number {
  const ms = toMilliseconds(duration);
  if (ms !== undefined && ms > 0) return ms;
  report(member, `${option} is ${duration}; give a positive duration like '30m' or a number of milliseconds`);
  return 1;
}

type Method = (this: object, ...given: unknown[]) => unknown;

/** A method that must not be async: its promise would end after the verdict. */
export function syncMethodOf(instance: object, member: string, report: Report): Method | undefined {
  const method = methodOf(instance, member, report);
  if (method && method.constructor.name !== 'Function') {
    report(member, `is an ${method.constructor.name}; handlers are pure and synchronous, so act in a @Step`);
  }
  return method;
}

/** The method that an instance has under a name, an overriding one included. */
export function methodOf(instance: object, member: string, report: Report): Method | undefined {
  const method: unknown = Reflect.get(instance, member);
  if (typeof method === 'function') return method as Method;
  report(member, 'is not a method; decorate a method');
  return undefined;
}
