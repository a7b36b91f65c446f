import type { Definition } from '../model/definition.js';
import type { Report } from './reading.js';

/** What undoes a run ends it: nothing goes on while its steps are undone. */
export function undoProblems({ handlers, timeouts, final }: Definition, report: Report): void {
  const undoing = [...handlers, ...timeouts].filter(({ undo }) => undo);
  for (const { member, to } of undoing) {
    if (to === undefined)
      report(member, 'has `undo` without `to`; name the final state in which the run ends');
    else if (!final.includes(to))
      report(member, `undoes the run and leads to ${to}, which is not final; a run that is undone has ended`);
  }
}
