import type { Definition, EventHandler } from '../../model/definition.js';
import { reachableFrom } from '../../machine/reachability.js';
import type { Report } from '../build/reading.js';

/** What takes a run out of a state as soon as it can. Timeouts are none: time is no event that could come early. */
interface Mover {
  readonly member: string;
  readonly to: string;
  readonly handler?: EventHandler;
  /** By an update. */
  readonly asked?: boolean;
}

/**
 * Pairs that do not commute (D16): if the one comes first, the run leaves the state and the other is late for ever; if it
 * comes second, both are applied. Such a race has to be declared, or guarded away.
 */
export function commutingProblems(definition: Definition, report: Report): void {
  const reported = new Set<string>();
  for (const state of definition.states) {
    const accepted = definition.handlers.filter((handler) => handler.in.includes(state));
    for (const mover of moversOf(definition, state, accepted)) {
      for (const loser of accepted) {
        const pair = `${mover.member}\n${loser.member}`;
        if (reported.has(pair) || !loses(definition, mover, loser)) continue;
        reported.add(pair);
        report(loser.member, raceProblem(state, mover, loser));
      }
    }
  }
}

function moversOf(
  { states, steps, updates }: Definition,
  state: string,
  accepted: readonly EventHandler[],
): Mover[] {
  const events = accepted.map((handler) => ({ member: handler.member, to: handler.to, handler }));
  const ofState = steps.filter((step) => step.in === state).map(({ name, to }) => ({ member: name, to }));
  const asked = updates.filter((update) => update.in.includes(state));
  return [...events, ...ofState, ...asked.map(({ member, to }) => ({ member, to, asked: true }))].filter(
    (one): one is Mover => one.to !== undefined && states.includes(one.to),
  );
}

/** Whether the mover can make the loser late although it need not be. */
function loses(definition: Definition, { to, handler: mover }: Mover, loser: EventHandler): boolean {
  if (loser.competes || mover?.competes || loser.late === 'ignore') return false;
  if (mover === loser && loser.subject.kind === 'single') return false;
  if (mover && waitsFor(mover, loser)) return false;
  const ahead = new Set([to, ...reachableFrom(definition, to)]);
  return !definition.handlers.some(
    ({ type, in: states }) => type === loser.type && states.some((one) => ahead.has(one)),
  );
}

/** A guard that counts items waits for those items; what any other guard waits for is its author's business. */
function waitsFor({ when: guard }: EventHandler, loser: EventHandler): boolean {
  return guard !== undefined && (!guard.announces || guard.announces.type === loser.type);
}

function raceProblem(state: string, mover: Mover, { type }: EventHandler): string {
  const { member, handler, asked = false } = mover;
  const first = handler ? `${handler.type} (${member})` : `${asked ? 'update' : 'step'} ${member}`;
  return (
    `${type} and ${first} do not commute in ${state}: after the latter the run is in ${mover.to}, and the former is late, ` +
    'never applied. Guard the latter with `when`, accept the former in a later state too, give it `late: ' +
    "'ignore'`, or declare the race with `competes: true`"
  );
}
