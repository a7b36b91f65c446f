import type { TimeoutDefinition } from '../../model/definition.js';
import { callUserCode, UserCodeError } from '../user-code.js';

/** What `at` says of the data: an instant (milliseconds since 1970), that there is none, or what is wrong with it. */
export type TimerInstant =
  | { readonly kind: 'at'; readonly ms: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly detail: string };

/** When a timeout with `at` is due, by the data. Pure, and it never throws. */
export function instantOf({ member, at }: TimeoutDefinition, data: unknown): TimerInstant {
  try {
    const said = callUserCode(`${member}'s at`, () => at?.(data));
    if (said === undefined || said === null) return { kind: 'none' };
    const ms = millisecondsOf(said);
    if (ms !== undefined) return { kind: 'at', ms: Math.max(0, ms) };
    const detail = `${member}'s at answered ${describe(said)}, which is no Date, ISO text with its zone, or milliseconds`;
    return { kind: 'failed', detail };
  } catch (error) {
    if (!(error instanceof UserCodeError)) throw error;
    return { kind: 'failed', detail: error.message };
  }
}

/** Whether another instant follows from the one data than from the other. */
export function hasMoved(timeout: TimeoutDefinition, before: unknown, after: unknown): boolean {
  if (timeout.at === undefined || before === after) return false;
  const [was, is] = [instantOf(timeout, before), instantOf(timeout, after)];
  return was.kind !== is.kind || (was.kind === 'at' && is.kind === 'at' && was.ms !== is.ms);
}

function millisecondsOf(said: unknown): number | undefined {
  if (typeof said === 'string' && !ISO_WITH_ZONE.test(said)) return undefined;
  if (!(said instanceof Date) && typeof said !== 'string' && typeof said !== 'number') return undefined;
  const ms = new Date(said).getTime();
  return Number.isNaN(ms) ? undefined : ms;
}

function describe(said: unknown): string {
  if (said instanceof Date) return 'an invalid Date';
  return typeof said === 'string' ? JSON.stringify(said.slice(0, TEXT_LENGTH_MAX)) : String(said);
}

/** Without a zone it would mean something else in each process. A date alone is its midnight in UTC. */
const ISO_WITH_ZONE = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;
const TEXT_LENGTH_MAX = 60;
