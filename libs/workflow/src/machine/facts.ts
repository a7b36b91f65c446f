import type { Definition } from '../model/definition.js';
import type { IncomingEvent, ParkedEvent } from '../model/event.js';
import type { Run } from '../model/run.js';
import { itemsOf, markOf } from './marks.js';
import { handlersOf } from './recognise.js';
import { subjectOf } from './subject.js';

/** What a decision must know beyond the run's own row. */
export interface Facts {
  /** All decided events that are parked with the run. */
  readonly parked: readonly ParkedEvent[];
  /** The content digest of the applied event with that subject, for the pairs that {@link toLookUp} names. */
  readonly known: (type: string, subject: string) => string | undefined;
}

/** An event type and the text form of a subject. */
export interface TypeAndSubject {
  readonly type: string;
  readonly subject: string;
}

/**
 * The pairs whose applied content has to be fetched before these events can be decided: keys always, since a run's row
 * does not list them; items only if the run's marks say that they were applied.
 */
export function toLookUp(
  definition: Definition,
  run: Run,
  events: readonly IncomingEvent[],
): TypeAndSubject[] {
  const pairs = new Map<string, TypeAndSubject>();
  for (const event of events) {
    const subject = subjectToLookUp(definition, run, event);
    if (subject !== undefined) pairs.set(pairKey(event.type, subject), { type: event.type, subject });
  }
  return [...pairs.values()];
}

function subjectToLookUp(definition: Definition, run: Run, event: IncomingEvent): string | undefined {
  const [handler] = handlersOf(definition, event);
  const subject = handler && subjectOf(handler.subject, event.payload);
  if (!subject || 'problem' in subject || subject.kind === 'single') return undefined;
  if (subject.kind === 'key') return subject.text;
  return itemsOf(markOf(run, event.type)).has(subject.index) ? subject.text : undefined;
}

/** One text for a type and a subject, to be used as a key of a map. */
export function pairKey(type: string, subject: string): string {
  return `${type}\n${subject}`;
}
