import { canonicalJson } from '@pawl/core';
import { exploreModel } from '../explorer/explore-model.js';
import type { Checks, Model } from '../explorer/model.js';
import { type Course, courseInWords, playOut, shrunk, usualCourse } from './course.js';
import { type Game, type Move, type Position, positionKey } from './game.js';
import { randomMoves } from './random-moves.js';
import { differences, type RunView, viewOf } from './run-view.js';
import { moveInWords } from './words.js';

export interface SearchOptions {
  readonly invariants: Readonly<Record<string, (run: RunView) => string | boolean | void>>;
  readonly compare: (end: RunView) => unknown;
  readonly statesMax: number;
  readonly runs: number;
  readonly seed: number;
}

/** What is wrong, and how to see it: each course as steps in words. */
export interface Finding {
  /** The invariant that does not hold; nothing if two ends differ. */
  readonly invariant?: string;
  /** What is wrong with it, or where the ends differ. */
  readonly problems: readonly string[];
  /** The order that ends as it should; empty if an invariant is broken. */
  readonly usual: readonly string[];
  readonly steps: readonly string[];
}

export interface Searched {
  readonly finding?: Finding;
  /** Not every order was tried. */
  readonly bounded: boolean;
  readonly states: number;
  readonly randomRuns: number;
  readonly ends: readonly string[];
}

const SAME_END = 'every order ends the same';

/** Looks for an order that ends otherwise than the usual one, or breaks an invariant: nearest first, then at random. */
export function search(game: Game, options: SearchOptions): Searched {
  return new Search(game, options).run();
}

class Search {
  private readonly usual: Course;
  private readonly usualEnd: RunView;
  private readonly ends = new Set<string>();

  constructor(
    private readonly game: Game,
    private readonly options: SearchOptions,
  ) {
    this.usual = usualCourse(game);
    this.usualEnd = viewOf(game, this.usual.end);
  }

  run(): Searched {
    const exploration = exploreModel(this.model(), { statesMax: this.options.statesMax });
    const { outcome, states } = exploration;
    if (outcome === 'violated') {
      const { invariant, problem, steps } = exploration;
      return this.searched({ states, bounded: false, finding: this.finding(invariant, problem, steps) });
    }
    if (outcome === 'complete') return this.searched({ states, bounded: false });
    return this.searched({ states, bounded: true, ...this.atRandom() });
  }

  private model(): Model<Position, Move> {
    const { game } = this;
    return {
      initial: game.start,
      actions: (position) => game.moves(position),
      apply: (position, move) => game.make(move, position).after,
      key: positionKey,
      describe: (move, position) => moveInWords(game, move, position),
      invariants: this.checks(),
    };
  }

  private checks(): Checks<Position> {
    const asked = Object.entries(this.options.invariants).map(
      ([name, holds]) =>
        [name, (position: Position) => problemOf(() => holds(viewOf(this.game, position)))] as const,
    );
    return { ...Object.fromEntries(asked), [SAME_END]: (position) => this.otherEnd(position) };
  }

  /** Where an end differs from the usual one, as lines of text; nothing for what is no end, and for what a race has decided. */
  private otherEnd(position: Position): string | undefined {
    if (!this.game.isAtRest(position)) return undefined;
    const end = viewOf(this.game, position);
    this.ends.add(`${end.state ?? 'nothing'}, ${end.status}`);
    if (position.raced || this.usual.end.raced) return undefined;
    const { compare } = this.options;
    const [expected, found] = [compare(this.usualEnd), compare(end)];
    if (canonicalJson(expected) === canonicalJson(found)) return undefined;
    return differences(plain(expected), plain(found)).join('\n');
  }

  private atRandom(): Pick<Searched, 'randomRuns' | 'finding'> {
    const random = seeded(this.options.seed);
    for (let n = 1; n <= this.options.runs; n++) {
      const course = playOut(this.game, randomMoves(this.game, random));
      const failure = this.failureOn(course);
      if (failure === undefined) continue;
      const least = shrunk(this.game, course, (each) => this.failureOn(each) !== undefined);
      const { invariant, problem } = this.failureOn(least) ?? failure;
      return { randomRuns: n, finding: this.finding(invariant, problem, courseInWords(this.game, least)) };
    }
    return { randomRuns: this.options.runs };
  }

  private failureOn({ moves }: Course): { invariant: string; problem: string } | undefined {
    let at = this.game.start;
    for (const move of moves) {
      at = this.game.make(move, at).after;
      for (const [invariant, check] of Object.entries(this.checks())) {
        const problem = check(at);
        if (problem !== undefined) return { invariant, problem };
      }
    }
    return undefined;
  }

  private finding(invariant: string, problem: string, steps: readonly string[]): Finding {
    const problems = problem.split('\n');
    if (invariant !== SAME_END) return { invariant, problems, usual: [], steps };
    return { problems, usual: courseInWords(this.game, this.usual), steps };
  }

  private searched(
    found: Omit<Searched, 'ends' | 'randomRuns'> & { readonly randomRuns?: number },
  ): Searched {
    return { randomRuns: 0, ...found, ends: [...this.ends].sort() };
  }
}

function problemOf(ask: () => string | boolean | void): string | undefined {
  try {
    const answer = ask();
    if (answer === false) return 'it answered false';
    return typeof answer === 'string' ? answer : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

/** Mulberry32: the same numbers for the same seed, everywhere. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
