import type { Definition, EventHandler } from '../../model/definition.js';
import type { Report } from '../build/reading.js';

/** What is wrong with the handlers of events, each alone and two by two. */
export function eventProblems(definition: Definition, report: Report): void {
  const { handlers } = definition;
  for (const [n, handler] of handlers.entries()) {
    for (const earlier of handlers.slice(0, n)) {
      if (earlier.type === handler.type) sameTypeProblems(earlier, handler, report);
      announcementProblem(earlier, handler, report);
    }
    guardProblem(definition, handler, report);
  }
}

function sameTypeProblems(earlier: EventHandler, handler: EventHandler, report: Report): void {
  const { member, type } = handler;
  if (earlier.start !== handler.start) {
    report(
      member,
      `takes ${type}, which starts a run in ${earlier.start ? earlier.member : member}; use another event class`,
    );
    return;
  }
  if (earlier.subject.kind !== handler.subject.kind) {
    report(
      member,
      `reads the subject of ${type} by another option than ${earlier.member}; use \`item\`, \`key\` or neither in both`,
    );
  }
  if (earlier.typeVersion !== handler.typeVersion) return;
  if (handler.start) report(member, `starts a run by ${type}, as ${earlier.member} does; keep one of them`);
  for (const state of handler.in.filter((one) => earlier.in.includes(one))) {
    report(
      member,
      `takes ${type} in ${state}, as ${earlier.member} does; keep one of them (where one fact leads two ways, send two types of event, or let a timeout with \`at\` lead on)`,
    );
  }
}

/** Two different announcements would make the number of items a matter of arrival. */
function announcementProblem(earlier: EventHandler, handler: EventHandler, report: Report): void {
  const items = handler.when?.announces?.type;
  if (items === undefined || earlier.when?.announces?.type !== items || earlier.type === handler.type) return;
  report(handler.member, `announces the number of ${items}, as ${earlier.member} does; one event type can`);
}

function guardProblem({ handlers }: Definition, { member, when: guard }: EventHandler, report: Report): void {
  const items = guard?.announces?.type;
  if (items === undefined) return;
  if (handlers.some(({ type, subject }) => type === items && subject.kind === 'item')) return;
  report(
    member,
    `waits for all items of ${items}, whose handler has no \`item\`; add item: (e) => e.index there`,
  );
}
