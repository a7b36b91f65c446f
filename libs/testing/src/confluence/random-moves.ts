import type { Game, Move, Position } from './game.js';

/** Moves that a course may begin with: whatever is possible, at random, until every event has come and nothing is due. */
export function randomMoves(game: Game, random: () => number): Move[] {
  const moves: Move[] = [];
  let at = game.start;
  // Often enough for every event and its copies; what is left then comes in its usual order.
  for (let left = 4 * (game.events.length + game.definition.steps.length) + 8; left > 0; left--) {
    if (game.isAtRest(at) && random() < 0.5) break;
    const move = oneOf(game, at, random);
    if (move === undefined) break;
    moves.push(move);
    at = game.make(move, at).after;
  }
  return moves;
}

/** Work or an event with equal chances; what seldom happens, a timeout or a loss, seldom. */
function oneOf(game: Game, at: Position, random: () => number): Move | undefined {
  const possible = game.moves(at);
  const kinds = [
    possible.filter(({ kind }) => kind === 'deliver'),
    possible.filter(({ kind }) => kind === 'step' || kind === 'undo'),
    random() < 0.1 ? possible.filter(({ kind }) => kind === 'fire' || kind === 'drop') : [],
  ].filter((moves) => moves.length > 0);
  const moves = kinds[Math.floor(random() * kinds.length)] ?? possible;
  return moves[Math.floor(random() * moves.length)];
}
