import type { Game, Move, Position } from './game.js';
import { moveInWords } from './words.js';

/** One order of what happens, from the beginning to a rest. */
export interface Course {
  readonly moves: readonly Move[];
  readonly end: Position;
}

/** Moves in a row before a course counts as endless: a definition has fewer. */
const MOVES_MAX = 10_000;

/**
 * Makes these moves, leaving out what is impossible, and then what is left to come to rest: work as soon as it is due, events in this order.
 * @param order indexes of the events, by default as they were given
 */
export function playOut(game: Game, wanted: readonly Move[], order: readonly number[] = given(game)): Course {
  const moves: Move[] = [];
  let at = game.start;
  const make = (move: Move): void => {
    const { after } = game.make(move, at);
    if (after !== at) moves.push(move);
    at = after;
  };
  for (const move of wanted) make(move);
  for (let left = MOVES_MAX; left > 0; left--) {
    const next = game.work(at.run)[0] ?? nextDelivery(at, order);
    if (next === undefined) break;
    make(next);
  }
  return { moves, end: at };
}

/** The order in which the events were given; those that would decide a race come last, or first. */
export function usualCourse(game: Game): Course {
  const racing = given(game).filter((event) => game.mayRace(event));
  const others = given(game).filter((event) => !racing.includes(event));
  const courses = [given(game), [...others, ...racing], [...racing, ...others]].map((order) =>
    playOut(game, [], order),
  );
  return courses.find(({ end }) => !end.raced) ?? (courses[0] as Course);
}

export function courseInWords(game: Game, { moves }: Course): string[] {
  let at = game.start;
  return moves.map((move) => {
    const words = moveInWords(game, move, at);
    at = game.make(move, at).after;
    return words;
  });
}

/** A course as short as this one can be made while it still fails: moves are left out, and events brought back to their usual order, one by one. */
export function shrunk(game: Game, course: Course, fails: (course: Course) => boolean): Course {
  for (const moves of smaller(course.moves)) {
    const better = playOut(game, moves);
    if (weightOf(better) < weightOf(course) && fails(better)) return shrunk(game, better, fails);
  }
  return course;
}

function* smaller(moves: readonly Move[]): Generator<readonly Move[]> {
  for (const n of moves.keys()) yield moves.toSpliced(n, 1);
  for (const [n, move] of moves.entries()) {
    const next = moves[n + 1];
    if (next !== undefined) yield moves.toSpliced(n, 2, next, move);
  }
}

/** Moves, and pairs of events that are not in their usual order. */
function weightOf({ moves }: Course): number {
  const events = moves.flatMap((move) => ('event' in move ? [move.event] : []));
  const turned = events.flatMap((event, n) => events.slice(n + 1).filter((later) => later < event));
  return moves.length * (MOVES_MAX + 1) + turned.length;
}

function given({ events }: Game): number[] {
  return [...events.keys()];
}

function nextDelivery({ arrived }: Position, order: readonly number[]): Move | undefined {
  const event = order.find((each) => arrived[each] === 0);
  return event === undefined ? undefined : { kind: 'deliver', event };
}
