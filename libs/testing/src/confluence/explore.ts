import { contentDigest, PawlError } from '@pawl/core';
import { type MessageClass, messageTypeOf } from '@pawl/messaging';
import { type Definition, definitionOf } from '@pawl/workflow';
import { Game } from './game.js';
import { report } from './report.js';
import type { RunView } from './run-view.js';
import { type Finding, search, type Searched, type SearchOptions } from './search.js';
import { eventInWords, type NamedEvent } from './words.js';

/** A workflow's class, an instance of it, or what `definitionOf` has made of it. */
export type Explorable = (abstract new (...args: never[]) => object) | object;

export interface ExploreOptions {
  /** How often each event may come. Default 2. */
  readonly copies?: number;
  /** Those of the events that may be lost for ever. Runs in which one is are not compared; invariants are asked about them. Default none. */
  readonly drops?: readonly object[];
  /** What steps return, by name: a value, or a function of the data as it is then. Default null. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** Names of steps that give up, so that what is done is undone. Default none. */
  readonly failing?: readonly string[];
  /** Whether a timeout may fire at any moment of its state. Runs in which one has fired are not compared. Default false. */
  readonly timers?: boolean;
  /** What has to hold of a run at any moment, by name: answers true or nothing if it holds; else false or what is wrong, or throws. */
  readonly invariants?: Readonly<Record<string, (run: RunView) => string | boolean | void>>;
  /** What of the end has to be the same in every order. Default: everything. */
  readonly compare?: (end: RunView) => unknown;
  /** Positions to visit, nearest first; beyond them the search goes on at random. Default 10,000. */
  readonly statesMax?: number;
  /** Random orders beyond that bound. Default 300. */
  readonly runs?: number;
  /** Of the random orders; the report tells it. Default: another one each time. */
  readonly seed?: number;
}

export interface WorkflowExploration extends Omit<Searched, 'bounded' | 'finding'> {
  /**
   * - `converges`: every order, with up to so many copies, ends the same.
   * - `bounded`: nothing is wrong with what was tried, but there are more orders than could be.
   * - `diverges`: two orders end differently. `violated`: an invariant does not hold.
   */
  readonly outcome: 'converges' | 'bounded' | 'diverges' | 'violated';
  readonly counterexample?: Finding;
  /** All of this in words; a counterexample as numbered steps. */
  readonly report: string;
}

/** At most, for each smaller set of events that is tried once something is found. */
const SMALLER = { statesMax: 5_000, runs: 100 };

/**
 * Plays a workflow through all orders and repetitions of these events, with its steps at any moment between them, on the pure machine: no database, and
 * no step is called. Says whether all of them end the same, or tells a shortest order that does not, with as few of the events as show it.
 *
 * The events are those of one run, each a fact of its own, in the order in which they usually come. What a race decides that the workflow declares, by
 * `competes: true` or `late: 'ignore'`, is not compared: such ends are listed in `ends`.
 *
 * @throws RefusedToBootError as at boot, if the workflow is declared wrongly
 * @throws PawlError `unknown_event` if the workflow has no handler for one of the events, `event_invalid` if one is rejected whatever has happened
 */
export function explore(
  workflow: Explorable,
  events: readonly object[],
  options: ExploreOptions = {},
): WorkflowExploration {
  const definition = definitionIn(workflow);
  const searched: SearchOptions = {
    invariants: options.invariants ?? {},
    compare: options.compare ?? ((end) => end),
    statesMax: options.statesMax ?? 10_000,
    runs: options.runs ?? 300,
    seed: options.seed ?? Math.floor(Math.random() * 2 ** 31),
  };
  const searchAmong = (some: readonly object[], bounds: Partial<SearchOptions>): Searched =>
    search(gameOf(definition, some, options), { ...searched, ...bounds });
  const smaller = {
    statesMax: Math.min(SMALLER.statesMax, searched.statesMax),
    runs: Math.min(SMALLER.runs, searched.runs),
  };
  refuseUnacceptable(gameOf(definition, events, options));
  const found = searchAmong(events, {});
  const counterexample =
    found.finding && withFewest(events, found.finding, (some) => searchAmong(some, smaller).finding);
  const { bounded, finding: _, ...coverage } = found;
  const exploration = {
    ...coverage,
    outcome: outcomeOf(counterexample, bounded),
    ...(counterexample && { counterexample }),
  };
  return {
    ...exploration,
    report: report(exploration, { events: events.length, copies: copiesOf(options), seed: searched.seed }),
  };
}

/** What is invalid by itself is rejected in every order, so that it shows nothing. */
function refuseUnacceptable(game: Game): void {
  for (const { rows } of game.events.map((event) => game.start.run.receive([event]).after)) {
    const [invalid] = rows.deadLetters;
    if (invalid === undefined || !UNACCEPTABLE.has(invalid.rule)) continue;
    throw new PawlError(
      'event_invalid',
      `${eventInWords(game.events, invalid)} is rejected in every order: ${invalid.detail ?? invalid.rule}`,
    );
  }
}

const UNACCEPTABLE: ReadonlySet<string> = new Set(['unknown-type', 'invalid-payload', 'invalid-subject']);

/** The finding with as few events as show one: each that is not needed is left out. */
function withFewest(
  events: readonly object[],
  finding: Finding,
  searchAmong: (some: readonly object[]) => Finding | undefined,
): Finding {
  for (const n of [...events.keys()].reverse()) {
    const fewer = events.toSpliced(n, 1);
    const found = searchAmong(fewer);
    if (found !== undefined) return withFewest(fewer, found, searchAmong);
  }
  return finding;
}

function outcomeOf(finding: Finding | undefined, bounded: boolean): WorkflowExploration['outcome'] {
  if (finding !== undefined) return finding.invariant === undefined ? 'diverges' : 'violated';
  return bounded ? 'bounded' : 'converges';
}

function gameOf(definition: Definition, events: readonly object[], options: ExploreOptions): Game {
  const { drops = [], outputs = {}, failing = [], timers = false } = options;
  const incoming = events.map((event, n) => incomingEvent(definition, event, n));
  const dropped = events.flatMap((event, n) => (drops.includes(event) ? [n] : []));
  return new Game(definition, incoming, {
    copies: copiesOf(options),
    drops: dropped,
    outputs,
    failing,
    timers,
  });
}

function copiesOf({ copies = 2 }: ExploreOptions): number {
  return copies;
}

/** An instance is made without its constructor: nothing of it is called but handlers, and these are pure. */
function definitionIn(workflow: Explorable): Definition {
  if (typeof workflow === 'function')
    return definitionOf(Object.create(workflow.prototype as object) as object);
  return isDefinition(workflow) ? workflow : definitionOf(workflow);
}

function isDefinition(value: object): value is Definition {
  return 'handlers' in value && 'states' in value && 'workflow' in value;
}

function incomingEvent({ workflow, handlers }: Definition, event: object, n: number): NamedEvent {
  const { name: type, version: typeVersion } = messageTypeOf(event.constructor as MessageClass);
  if (!handlers.some((handler) => handler.type === type))
    throw new PawlError(
      'unknown_event',
      `Workflow ${workflow} has no handler for ${type} (${event.constructor.name})`,
    );
  const payload: unknown = JSON.parse(JSON.stringify(event));
  const facts = {
    id: `event-${n + 1}`,
    type,
    typeVersion,
    payload,
    digest: contentDigest(payload),
    source: 'test',
  };
  return { ...facts, receivedAt: new Date('2026-01-01T12:00:00Z'), className: event.constructor.name };
}
