import { contentDigest } from '@pawl/core';
import type { Definition } from '../model/definition.js';

/** What a run depends on for its whole life, and what a picture of the workflow is drawn from. Plain JSON. */
export interface Graph {
  readonly workflow: string;
  readonly version: number;
  readonly states: readonly string[];
  readonly final: readonly string[];
  readonly handlers: readonly {
    readonly member: string;
    readonly type: string;
    readonly typeVersion: number;
    readonly start: boolean;
    readonly in: readonly string[];
    readonly to: string | null;
    readonly subject: 'single' | 'item' | 'key';
    readonly guard: string | null;
    readonly itemsOf: string | null;
    readonly publish: string | null;
  }[];
  readonly steps: readonly {
    readonly name: string;
    readonly in: string;
    readonly to: string | null;
    readonly effect: string;
  }[];
  readonly timeouts: readonly { readonly member: string; readonly in: string; readonly to: string | null }[];
}

/**
 * The graph of a definition and a hash of it. The hash is the same in every process; it changes with states, transitions,
 * events, guards and steps, whose change asks for a new version, and not with what may be tuned under way: durations, retries,
 * what becomes of late events, the order of handlers in the class.
 *
 * A workflow that an earlier release has kept has the same hash in this one: an option that is new is left out of the graph while it is at its
 * default (test/releases compares). Fields that are `null` in 0.1 stay so.
 */
export function fingerprint(definition: Definition): { readonly hash: string; readonly graph: Graph } {
  const graph = graphOf(definition);
  const { handlers, timeouts } = graph;
  const hash = contentDigest({
    ...graph,
    handlers: sorted(handlers),
    timeouts: sorted(timeouts),
    steps: byState(graph),
  });
  return { hash, graph };
}

function graphOf({ workflow, version, states, final, handlers, steps, timeouts }: Definition): Graph {
  return {
    workflow,
    version,
    states,
    final,
    handlers: handlers.map(
      ({ member, type, typeVersion, start, in: accepting, to, subject, when: guard, publish }) => ({
        member,
        type,
        typeVersion,
        start,
        in: accepting,
        to: to ?? null,
        subject: subject.kind,
        guard: guard?.name ?? null,
        itemsOf: guard?.announces?.type ?? null,
        publish: publish?.to ?? null,
      }),
    ),
    steps: steps.map(({ name, in: state, to, effect }) => ({ name, in: state, to: to ?? null, effect })),
    timeouts: timeouts.map(({ member, in: state, to }) => ({ member, in: state, to: to ?? null })),
  };
}

/** Steps keep their order within a state; that of the states is their rank. */
function byState({ states, steps }: Graph): Graph['steps'] {
  return steps.toSorted((a, b) => states.indexOf(a.in) - states.indexOf(b.in));
}

function sorted<Member extends { readonly member: string; readonly in: readonly string[] | string }>(
  members: readonly Member[],
): Member[] {
  const nameOf = (one: Member) => `${one.member}\n${String(one.in)}`;
  return members.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : Number(nameOf(a) > nameOf(b))));
}
