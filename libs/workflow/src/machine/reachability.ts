import { type Definition, EVERY_STATE, type TimeoutDefinition } from '../model/definition.js';

/** One way out of a state: an event, an update, a step or a timeout. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly by: string;
}

/** All transitions between states. Start events are none: they lead in from nowhere. */
export function edgesOf(definition: Definition): Edge[] {
  const { handlers, steps, timeouts, updates } = definition;
  return [
    ...handlers.flatMap((h) => h.in.map((from) => ({ from, to: h.to, by: h.member }))),
    ...updates.flatMap((update) => update.in.map((from) => ({ from, to: update.to, by: update.member }))),
    ...steps.map((step) => ({ from: step.in, to: step.to, by: step.name })),
    ...timeouts.flatMap((timeout) =>
      statesOf(definition, timeout).map((from) => ({ from, to: timeout.to, by: timeout.member })),
    ),
  ].filter((edge): edge is Edge => edge.to !== undefined);
}

/** A deadline of the run leads out of every state that is not final. */
function statesOf({ states, final }: Definition, timeout: TimeoutDefinition): readonly string[] {
  return timeout.in === EVERY_STATE ? states.filter((state) => !final.includes(state)) : [timeout.in];
}

/** The states that a run in `state` may still come to, `state` itself excluded. By the graph: a higher rank alone is no way. */
export function reachableFrom(definition: Definition, state: string): ReadonlySet<string> {
  const ofDefinition = cache.get(definition) ?? new Map<string, ReadonlySet<string>>();
  cache.set(definition, ofDefinition);
  const reachable = ofDefinition.get(state) ?? search(edgesOf(definition), state);
  ofDefinition.set(state, reachable);
  return reachable;
}

function search(edges: readonly Edge[], start: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [start];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const { to } of edges.filter(({ from }) => from === state)) {
      if (!reached.has(to)) open.push(to);
      reached.add(to);
    }
  }
  return reached;
}

const cache = new WeakMap<Definition, Map<string, ReadonlySet<string>>>();
