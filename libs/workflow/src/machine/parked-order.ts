import type { Definition } from '../model/definition.js';
import type { ParkedEvent } from '../model/event.js';

/** One order for parked events that does not depend on their arrival: declaration of the type, item, key, id. */
export function inOneOrder(definition: Definition, parked: readonly ParkedEvent[]): ParkedEvent[] {
  if (parked.length < 2) return [...parked];
  const rankOf = (event: ParkedEvent) => definition.handlers.findIndex(({ type }) => type === event.type);
  const ranked = parked.map((event) => ({ event, rank: rankOf(event), index: indexOf(event.subject) }));
  const ordered = ranked.toSorted(
    (a, b) => a.rank - b.rank || a.index - b.index || compare(nameOf(a.event), nameOf(b.event)),
  );
  return ordered.map(({ event }) => event);
}

function indexOf(subject: string): number {
  return subject.startsWith('item:') ? Number(subject.slice('item:'.length)) : 0;
}

function nameOf({ subject, id }: ParkedEvent): string {
  return `${subject}\n${id}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
