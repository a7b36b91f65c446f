import { reachableFrom } from '../../machine/reachability.js';
import { type Definition, EVERY_STATE } from '../../model/definition.js';
import type { Report } from '../build/reading.js';

/** What is wrong with exits that undo, with compensations and with confirmations. */
export function undoProblems(definition: Definition, report: Report): void {
  undoingExits(definition, report);
  exitsPastNoReturn(definition, report);
  for (const step of definition.steps) doubtProblems(step, report);
  sharedMembers(definition, report);
}

/** What undoes a run ends it: nothing goes on while its steps are undone. */
function undoingExits({ handlers, timeouts, updates, final }: Definition, report: Report): void {
  const undoing = [...handlers, ...timeouts, ...updates].filter(({ undo }) => undo);
  for (const { member, to } of undoing) {
    if (to === undefined)
      report(member, 'has `undo` without `to`; name the final state in which the run ends');
    else if (!final.includes(to))
      report(member, `undoes the run and leads to ${to}, which is not final; a run that is undone has ended`);
  }
}

/** Behind a step that can not be taken back no state can undo. A deadline of the run belongs to all states, and asks for a person there. */
function exitsPastNoReturn(definition: Definition, report: Report): void {
  const { handlers, timeouts, updates, steps } = definition;
  const exits = [
    ...[...handlers, ...updates].flatMap((one) => one.in.map((state) => ({ ...one, state }))),
    ...timeouts.map((one) => ({ ...one, state: one.in })),
  ].filter(({ undo, state }) => undo && state !== EVERY_STATE);
  for (const { member, state } of exits) {
    const behind = steps.find((step) => step.noReturn && reachableFrom(definition, step.in).has(state));
    if (behind)
      report(
        member,
        `undoes a run that is in ${state}, where ${behind.name}, which can not be taken back, may be done; take ${state} out, or \`undo\``,
      );
  }
}

function doubtProblems(step: Definition['steps'][number], report: Report): void {
  const { name, effect, guarantee, noReturn, compensation, confirmation } = step;
  const once = guarantee === 'at-most-once';
  if (effect === 'transactional' && confirmation)
    report(confirmation.name, `asks about ${name}, which is transactional and never in doubt; remove it`);
  if (effect === 'external' && once && confirmation)
    report(
      confirmation.name,
      `asks about ${name}, which is made at most once and never again; remove it, or \`guarantee\``,
    );
  if (noReturn && compensation)
    report(compensation.name, `would never run: ${name} can not be taken back; remove it, or \`noReturn\``);
}

/** Records have the names of members. */
function sharedMembers({ handlers, timeouts, steps }: Definition, report: Report): void {
  const compensations = steps.flatMap(({ compensation }) => compensation?.name ?? []);
  const confirmations = steps.flatMap(({ confirmation }) => confirmation?.name ?? []);
  const others = new Set([
    ...[...handlers, ...timeouts].map(({ member }) => member),
    ...steps.map(({ name }) => name),
  ]);
  for (const name of new Set([...compensations, ...confirmations]))
    if (others.has(name))
      report(name, 'undoes or confirms a step and is something else too; write two methods');
  for (const name of new Set(compensations)) {
    if (compensations.filter((one) => one === name).length > 1)
      report(name, 'undoes two steps; each is undone under its own name, so write two methods');
    if (confirmations.includes(name)) report(name, 'undoes a step and confirms one; write two methods');
  }
}
