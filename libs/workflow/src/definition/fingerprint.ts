import { contentDigest } from '@pawl/core';
import type { Definition, StepDefinition, UpdateHandler } from '../model/definition.js';

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
    readonly undo?: true;
  }[];
  readonly steps: readonly {
    readonly name: string;
    readonly in: string;
    readonly to: string | null;
    readonly effect: string;
    readonly after?: readonly string[];
    readonly forEach?: true;
    readonly guarantee?: string;
    readonly noReturn?: true;
    readonly onFailure?: string;
    readonly compensation?: string;
    readonly confirmation?: string;
  }[];
  readonly timeouts: readonly {
    readonly member: string;
    /** `*` for a deadline of the run. */
    readonly in: string;
    readonly to: string | null;
    readonly undo?: true;
  }[];
  readonly updates?: readonly {
    readonly member: string;
    readonly in: readonly string[];
    readonly to: string | null;
    readonly undo?: true;
    /** Wire name and version of its declared input. */
    readonly input: string | null;
  }[];
}

/**
 * The graph of a definition and a hash of it. The hash is the same in every process; it changes with states, transitions,
 * events, updates, guards and steps, whose change asks for a new version, and not with what may be tuned under way: durations, retries,
 * what becomes of late events, the order of handlers in the class.
 *
 * A workflow that an earlier release has kept has the same hash in this one: an option that is new is left out of the graph while it is at its
 * default (test/releases compares). Fields that are `null` in 0.1 stay so.
 */
export function fingerprint(definition: Definition): { readonly hash: string; readonly graph: Graph } {
  const graph = graphOf(definition);
  const { handlers, timeouts, updates } = graph;
  const hash = contentDigest({
    ...graph,
    handlers: sorted(handlers),
    timeouts: sorted(timeouts),
    steps: byState(graph),
    ...(updates && { updates: sorted(updates) }),
  });
  return { hash, graph };
}

function graphOf(definition: Definition): Graph {
  const { workflow, version, states, final, handlers, steps, timeouts, updates } = definition;
  return {
    workflow,
    version,
    states,
    final,
    handlers: handlers.map(
      ({ member, type, typeVersion, start, in: accepting, to, subject, when: guard, publish, undo }) => ({
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
        ...(undo && { undo }),
      }),
    ),
    steps: steps.map((step) => stepOf(step, steps)),
    timeouts: timeouts.map(({ member, in: state, to, undo }) => ({
      member,
      in: state,
      to: to ?? null,
      ...(undo && { undo }),
    })),
    ...(updates.length > 0 && { updates: updates.map(updateOf) }),
  };
}

function updateOf({
  member,
  in: accepting,
  to,
  undo,
  inputType,
}: UpdateHandler): NonNullable<Graph['updates']>[number] {
  const ways = { member, in: accepting, to: to ?? null, ...(undo && { undo }) };
  return { ...ways, input: inputType ?? null };
}

/** What a step does not say is left out: so the hash of a workflow stays what it was before there was such an option. */
function stepOf(step: StepDefinition, steps: readonly StepDefinition[]): Graph['steps'][number] {
  const { name, in: state, to, effect, forEach, guarantee, noReturn, onFailure } = step;
  const { compensation, confirmation } = step;
  return {
    name,
    in: state,
    to: to ?? null,
    effect,
    ...(!followsDeclaration(step, steps) && { after: step.after.toSorted() }),
    ...(forEach && { forEach: true }),
    ...(guarantee !== 'at-least-once' && { guarantee }),
    ...(noReturn && { noReturn }),
    ...(onFailure !== 'compensate' && { onFailure }),
    ...(compensation && { compensation: compensation.name }),
    ...(confirmation && { confirmation: confirmation.name }),
  };
}

/** Whether a step waits for the one declared before it, as all do that say nothing; the one with `to` waits for all in any case. */
function followsDeclaration(
  { name, in: state, to, after }: StepDefinition,
  steps: readonly StepDefinition[],
): boolean {
  if (to !== undefined) return true;
  const ofState = steps.filter((step) => step.in === state);
  const before = ofState[ofState.findIndex((step) => step.name === name) - 1];
  return after.length === (before ? 1 : 0) && after[0] === before?.name;
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
