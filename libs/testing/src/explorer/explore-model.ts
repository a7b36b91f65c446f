import type { Checks, Model } from './model.js';

export interface ExploreModelOptions {
  /** Most states to visit; beyond them the answer is `bounded`. Default 1,000,000. */
  readonly statesMax?: number;
  /** Most actions in a row. Default: no limit. */
  readonly depthMax?: number;
  /** Most actions from a state to its rest; more of them count as no rest. Default 1,000. */
  readonly restMax?: number;
  /** Told after every so many states. */
  readonly onProgress?: (progress: ExploreProgress) => void;
}

export interface ExploreProgress {
  readonly states: number;
  /** Seen and not yet explored further. */
  readonly waiting: number;
  /** Actions from the beginning. */
  readonly depth: number;
}

/**
 * What an exploration found.
 * - `complete`: every reachable state was visited and nothing is wrong.
 * - `bounded`: nothing is wrong with what was visited, but a limit cut it off. It proves nothing about the rest.
 * - `violated`: with a shortest way there.
 */
export type Exploration =
  | ({ readonly outcome: 'complete' | 'bounded' } & Coverage)
  | ({ readonly outcome: 'violated' } & Coverage & Counterexample);

export interface Coverage {
  readonly states: number;
  readonly transitions: number;
  /** The longest of the shortest ways to a state. */
  readonly depth: number;
}

export interface Counterexample {
  /** The name of the invariant. */
  readonly invariant: string;
  readonly problem: string;
  /** What happens, from the beginning on; no shorter way leads to such a state. */
  readonly steps: readonly string[];
  /** What then happens without faults, if it is the end that is wrong. */
  readonly thenWithoutFaults: readonly string[];
}

/** The name under which a machine is reported that never comes to rest. */
export const COMES_TO_REST = 'comes to rest';

const STATES_MAX = 1_000_000;
const REST_MAX = 1_000;
const PROGRESS_EVERY = 10_000;

/**
 * Visits every state that a model can reach, nearest first, over all interleavings of its actions, and checks its invariants in each;
 * and from each, whether the machine comes to a good end once faults cease. Stops at the first violation, which is one of the nearest.
 */
export function exploreModel<State, Action>(
  model: Model<State, Action>,
  options: ExploreModelOptions = {},
): Exploration {
  return new Search(model, options).run();
}

/** How a state was first reached. */
interface Visit {
  readonly from: Visit | undefined;
  /** Which of the actions there. */
  readonly nth: number;
  readonly depth: number;
}

interface Waiting<State> {
  readonly state: State;
  readonly visit: Visit;
}

type Ending = Omit<Counterexample, 'steps'>;

class Search<State, Action> {
  private readonly seen = new Set<string>();
  /** States from which the machine comes to a good end. */
  private readonly sound = new Set<string>();
  private waiting: Waiting<State>[] = [];
  private transitions = 0;
  private depth = 0;
  private cut = false;

  constructor(
    private readonly model: Model<State, Action>,
    private readonly options: ExploreModelOptions,
  ) {}

  run(): Exploration {
    const violation = this.visit(this.model.initial, undefined, 0);
    if (violation !== undefined) return violation;
    // Each round explores what the one before has found: the states one action further away.
    while (this.waiting.length > 0) {
      const round = this.waiting;
      this.waiting = [];
      for (const each of round) {
        const found = this.expand(each);
        if (found !== undefined) return found;
      }
    }
    return { outcome: this.cut ? 'bounded' : 'complete', ...this.coverage() };
  }

  private expand({ state, visit }: Waiting<State>): Exploration | undefined {
    const actions = this.model.actions(state);
    if (visit.depth >= (this.options.depthMax ?? Number.POSITIVE_INFINITY)) {
      this.cut ||= actions.length > 0;
      return undefined;
    }
    for (const [nth, action] of actions.entries()) {
      this.transitions++;
      const after = this.model.apply(state, action);
      const violation = after === state ? undefined : this.visit(after, visit, nth);
      if (violation !== undefined) return violation;
    }
    return undefined;
  }

  private visit(state: State, from: Visit | undefined, nth: number): Exploration | undefined {
    const key = this.model.key(state);
    if (this.seen.has(key)) return undefined;
    if (this.seen.size >= (this.options.statesMax ?? STATES_MAX)) {
      this.cut = true;
      return undefined;
    }
    this.seen.add(key);
    const visit: Visit = { from, nth, depth: from === undefined ? 0 : from.depth + 1 };
    this.depth = visit.depth;
    this.report();
    const ending =
      failureOf(this.model.invariants, state) ?? this.endingOf(state, key) ?? this.worseEndingOf(state);
    if (ending !== undefined)
      return { outcome: 'violated', ...this.coverage(), ...ending, steps: this.retell(visit) };
    this.waiting.push({ state, visit });
    return undefined;
  }

  /** Lets the machine run without faults to its rest, or into states that are known to end well. */
  private endingOf(start: State, startKey: string): Ending | undefined {
    const { eventually } = this.model;
    if (eventually === undefined) return undefined;
    const path = new Set<string>();
    const told: string[] = [];
    const end = (failure: Ending): Ending => ({ ...failure, thenWithoutFaults: told });
    for (let state = start, key = startKey; !this.sound.has(key); key = this.model.key(state)) {
      if (path.has(key) || path.size >= (this.options.restMax ?? REST_MAX))
        return end({ invariant: COMES_TO_REST, problem: 'it goes round for ever', ...NO_STEPS });
      path.add(key);
      const broken = failureOf(this.model.invariants, state);
      if (broken !== undefined) return end(broken);
      const action = eventually.next(state);
      if (action === undefined) {
        const wrong = failureOf(eventually.atRest, state);
        if (wrong !== undefined) return end(wrong);
        break;
      }
      told.push(this.model.describe(action, state));
      state = this.model.apply(state, action);
    }
    for (const key of path) this.sound.add(key);
    return undefined;
  }

  private worseEndingOf(state: State): Ending | undefined {
    const worse = this.model.eventually?.worse?.(state);
    if (worse === undefined) return undefined;
    const ending = this.endingOf(worse.state, this.model.key(worse.state));
    return ending && { ...ending, thenWithoutFaults: [worse.told, ...ending.thenWithoutFaults] };
  }

  private retell(visit: Visit): string[] {
    const choices: number[] = [];
    for (let at = visit; at.from !== undefined; at = at.from) choices.unshift(at.nth);
    let state = this.model.initial;
    return choices.map((nth) => {
      const action = this.model.actions(state)[nth] as Action;
      const told = this.model.describe(action, state);
      state = this.model.apply(state, action);
      return told;
    });
  }

  private coverage(): Coverage {
    return { states: this.seen.size, transitions: this.transitions, depth: this.depth };
  }

  private report(): void {
    if (this.seen.size % PROGRESS_EVERY !== 0) return;
    this.options.onProgress?.({ states: this.seen.size, waiting: this.waiting.length, depth: this.depth });
  }
}

const NO_STEPS = { thenWithoutFaults: [] };

function failureOf<State>(checks: Checks<State>, state: State): Ending | undefined {
  for (const [invariant, check] of Object.entries(checks)) {
    const problem = check(state);
    if (problem !== undefined) return { invariant, problem, ...NO_STEPS };
  }
  return undefined;
}
