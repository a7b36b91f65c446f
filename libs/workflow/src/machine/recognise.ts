import type { Definition, EventHandler } from '../model/definition.js';
import type { IncomingEvent } from '../model/event.js';
import type { Run } from '../model/run.js';
import type { Decision } from '../model/verdict.js';
import { hasEnded } from './position.js';
import { reachableFrom } from './reachability.js';
import { type Subject, subjectOf } from './subject.js';

/** An event that the workflow knows: which handler is meant, and what the event is about. */
export interface Recognised {
  readonly event: IncomingEvent;
  readonly handler: EventHandler;
  readonly subject: Subject;
  /** Whether the run's state is one of the handler's; for a start event, whether the run is still awaited. */
  readonly accepted: boolean;
  /** Whether the run may still come to one of the handler's states. */
  readonly reachable: boolean;
}

/** Finds the handler of an event and reads its subject; what is unknown or invalid is rejected here. */
export function recognise(definition: Definition, run: Run, event: IncomingEvent): Recognised | Decision {
  const handlers = handlersOf(definition, event);
  const [first] = handlers;
  if (!first) return unknownType(definition, event);
  const problems = first.problems(event.payload);
  if (problems.length > 0)
    return rejected('invalid-payload', problems.join('; ').slice(0, DETAIL_LENGTH_MAX));
  const subject = subjectOf(first.subject, event.payload);
  if ('problem' in subject) return rejected('invalid-subject', subject.problem);
  return { event, subject, ...place(definition, run, first, handlers) };
}

/** Every handler of an event's type and version; they agree in payload and subject. */
export function handlersOf(definition: Definition, event: IncomingEvent): EventHandler[] {
  return definition.handlers.filter((h) => h.type === event.type && h.typeVersion === event.typeVersion);
}

function place(definition: Definition, run: Run, first: EventHandler, handlers: readonly EventHandler[]) {
  const { state } = run;
  if (state === null) return { handler: first, accepted: first.start, reachable: false };
  if (hasEnded(run)) return { handler: first, accepted: false, reachable: false };
  const here = handlers.find((handler) => handler.in.includes(state));
  const ahead = reachableFrom(definition, state);
  const later = handlers.find((handler) => handler.in.some((one) => ahead.has(one)));
  const handler = here ?? later ?? first;
  // It may go on from where it is, if a person redrives it.
  if (run.status === 'failed')
    return { handler, accepted: false, reachable: handler === here || handler === later };
  return { handler, accepted: here !== undefined, reachable: later !== undefined };
}

function unknownType(definition: Definition, event: IncomingEvent): Decision {
  const versions = definition.handlers.filter(({ type }) => type === event.type).map((h) => h.typeVersion);
  const known = versions.length > 0 ? ` in version ${event.typeVersion}, only in ${versions.join(', ')}` : '';
  return rejected('unknown-type', `workflow ${definition.workflow} does not take ${event.type}${known}`);
}

function rejected(rule: 'unknown-type' | 'invalid-payload' | 'invalid-subject', detail: string): Decision {
  return { verdict: 'rejected', rule, detail };
}

const DETAIL_LENGTH_MAX = 1_000;
