import type { Definition } from '../../libs/workflow/src/model/definition.js';
import { delivery, MemoryRun } from '../machine/memory-run.js';
import type { SavedInput } from './saved-release.js';

const BEGIN = Date.parse('2026-01-01T12:00:00Z');
const BETWEEN_MS = 1_000;

/**
 * What may happen to a run, made up from a seed: its events in some order, some of them twice or never, and steps and timers between them. The first histories
 * keep the order of the events, so that some runs get to their end.
 */
export function history(definition: Definition, events: readonly object[], seed: number): SavedInput[] {
  const random = numbersFrom(seed);
  const memory = new MemoryRun(definition);
  const inputs: SavedInput[] = [];
  const inOrder = seed <= IN_ORDER_MAX;
  const waiting = inOrder ? [...events] : events.filter(() => random() < 0.85);
  const happen = (input: SavedInput): void => void inputs.push(input);
  const instant = (): Date => new Date(BEGIN + inputs.length * BETWEEN_MS);
  while (waiting.length > 0) {
    const chance = random();
    if (chance < 0.35 && happens(memory.step(), (step) => happen({ step }))) continue;
    if (seed % TIMERS_IN_EACH === 0 && chance < 0.5) {
      const timer = definition.timeouts.find((one) => one.in === memory.state);
      if (timer === undefined) continue;
      const due = { member: timer.member, state: timer.in, round: memory.run.round };
      happen({ timer: { ...due, fireAt: instant().toISOString() } });
      memory.receive({ ...due, fireAt: instant() });
      continue;
    }
    const n = inOrder ? 0 : Math.floor(random() * waiting.length);
    const event = delivery(waiting[n] as object, { id: `delivery-${inputs.length}`, receivedAt: instant() });
    if (random() < 0.8) waiting.splice(n, 1);
    happen({ event: { ...event, receivedAt: event.receivedAt.toISOString() } });
    memory.deliver(event);
  }
  while (happens(memory.step(), (step) => happen({ step })));
  return inputs;
}

const IN_ORDER_MAX = 3;
/** Most histories have none: an order that has expired takes nothing more. */
const TIMERS_IN_EACH = 4;

function happens(step: string | undefined, then: (step: string) => void): boolean {
  if (step === undefined) return false;
  then(step);
  return true;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
