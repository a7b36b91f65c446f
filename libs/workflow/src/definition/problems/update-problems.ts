import type { Definition } from '../../model/definition.js';
import type { Report } from '../build/reading.js';

/** What is wrong with updates, queries and the status: each is a method of its own, and an update has a state that accepts it. */
export function updateProblems(definition: Definition, report: Report): void {
  for (const { member, in: accepting, to } of definition.updates) {
    if (accepting.length === 0) report(member, 'has no state in `in`; name those that accept the update');
    for (const state of [...accepting, ...(to === undefined ? [] : [to])]) {
      if (!definition.states.includes(state))
        report(member, `there is no state ${state}; the states are ${definition.states.join(', ')}`);
    }
    for (const state of accepting.filter((one) => definition.final.includes(one)))
      report(
        member,
        `belongs to the final state ${state}, where nothing happens; take it out, or do not end there`,
      );
  }
  sharedMembers(definition, report);
  statusProblems(definition, report);
}

/** The names by which a run is asked mean one thing each. */
function sharedMembers({ handlers, steps, timeouts, updates, queries }: Definition, report: Report): void {
  const acting = new Set([
    ...[...handlers, ...timeouts].map(({ member }) => member),
    ...steps.flatMap(({ name, compensation, confirmation }) => [
      name,
      ...[compensation, confirmation].flatMap((one) => one?.name ?? []),
    ]),
  ]);
  const asked = [...updates.map(({ member }) => member), ...queries.map(({ member }) => member)];
  for (const member of new Set(asked)) {
    if (acting.has(member))
      report(member, 'is asked by callers and called by the engine too; write two methods');
    if (asked.indexOf(member) !== asked.lastIndexOf(member))
      report(member, 'is decorated with @Update or @Query twice; write a second method');
  }
}

/** `client.status` finds its type by this name. */
function statusProblems({ updates, queries, status }: Definition, report: Report): void {
  if (status && status.member !== 'status') report(status.member, 'is the @Status; call the method `status`');
  for (const { member } of [...updates, ...queries]) {
    if (member === 'status')
      report(member, 'is what client.status asks, by @Status; give this method another name');
  }
}
