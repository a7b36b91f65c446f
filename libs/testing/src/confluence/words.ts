import { inspect } from 'node:util';
import type { IncomingEvent, Played } from '@pawl/workflow';
import type { Game, Made, Move, Position } from './game.js';

/** An event about to be delivered, with the name that its author gave its class. */
export interface NamedEvent extends IncomingEvent {
  readonly className: string;
}

interface Said {
  readonly type: string;
  readonly payload: unknown;
}

/** `OrderAccepted { itemCount: 1 }` */
export function eventInWords(events: readonly IncomingEvent[], { type, payload }: Said): string {
  const known = events.find((event): event is NamedEvent => event.type === type && 'className' in event);
  const content = inspect(payload, { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 6 });
  return `${known?.className ?? type} ${content === '{}' ? '' : content}`.trimEnd();
}

/** A move and what came of it, as a person reads it: `OrderAccepted { itemCount: 1 } arrives: early, guard-not-met`. */
export function moveInWords(game: Game, move: Move, before: Position): string {
  const made = game.make(move, before);
  const { state, status } = made.after.run.run;
  const moved = state === before.run.run.state ? '' : `, the run is in ${state}`;
  const ended =
    status === before.run.run.status || !TOLD.has(status)
      ? ''
      : `${moved === '' ? ', the run is' : ' and'} ${status}`;
  return [
    `${happened(game, move, before, made)}${moved}${ended}`,
    ...wokenInWords(game, move, made.played),
  ].join('; ');
}

/** Statuses that a reader does not expect from the state alone. */
const TOLD = new Set(['compensating', 'compensated', 'failed', 'compensation_failed']);

function happened(game: Game, move: Move, before: Position, { played }: Made): string {
  switch (move.kind) {
    case 'deliver': {
      const again = (before.arrived[move.event] ?? 0) > 0 ? ' again' : '';
      const [receipt] = played?.change.receipts ?? [];
      const detail =
        receipt?.detail === undefined || receipt.verdict !== 'rejected' ? '' : ` (${receipt.detail})`;
      return `${nameOf(game, move.event)} arrives${again}: ${receipt?.verdict}, ${receipt?.rule}${detail}`;
    }
    case 'drop':
      return `${nameOf(game, move.event)} never arrives`;
    case 'step':
      return `step ${move.name} ${played?.after.rows.steps.some(({ name, status }) => name === move.name && status === 'failed') ? 'gives up' : 'is done'}`;
    case 'undo':
      return `${played?.after.rows.steps.at(-1)?.name} undoes ${played?.after.rows.steps.at(-1)?.undoes}`;
    case 'fire':
      return `the timeout ${game.definition.timeouts[move.timeout]?.member} fires`;
  }
}

/** The events that had waited and were decided by this. */
function wokenInWords({ events }: Game, move: Move, played: Played | undefined): string[] {
  const arrived = move.kind === 'deliver' ? events[move.event]?.id : undefined;
  const woken = (played?.change.journal ?? []).filter(
    ({ kind, eventId }) => kind === 'event' && eventId !== arrived,
  );
  return woken.map(
    ({ name, payload, verdict, rule }) =>
      `${eventInWords(events, { type: name, payload })}, which had waited: ${verdict}, ${rule}`,
  );
}

function nameOf({ events }: Game, event: number): string {
  const incoming = events[event];
  return incoming === undefined ? 'an event' : eventInWords(events, incoming);
}
