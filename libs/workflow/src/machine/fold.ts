import { payloadProblems } from '@pawl/messaging';
import type { Definition, TimeoutDefinition, UpdateHandler } from '../model/definition.js';
import type { Run } from '../model/run.js';
import { withMark } from './marks.js';
import { enter } from './position.js';
import type { Recognised } from './recognise.js';
import { isStorable } from './storable.js';
import { callUserCode, UserCodeError } from './user-code.js';

/**
 * The run after an accepted event: data folded, subject marked, state entered.
 * @throws UserCodeError the handler threw or returned a promise; the given run is untouched.
 */
export function foldEvent(definition: Definition, run: Run, { handler, event, subject }: Recognised): Run {
  const data = foldData(handler.member, run.data, (draft) =>
    handler.fold(draft, structuredClone(event.payload)),
  );
  const marks = withMark(run, handler, subject, event);
  const version = run.version ?? definition.version;
  return enter(definition, { ...run, data, marks, version }, handler.to, handler.undo);
}

/**
 * The run after a timeout.
 * @throws UserCodeError
 */
export function foldTimeout(definition: Definition, run: Run, timeout: TimeoutDefinition): Run {
  const data = foldData(timeout.member, run.data, (draft) => timeout.fold(draft));
  const attention = run.attention ?? timeout.attention ?? null;
  return enter(definition, { ...run, data, attention }, timeout.to, timeout.undo);
}

/**
 * The run after an update, and what its caller is answered: plain JSON, as the database keeps it.
 * @throws UserCodeError also for a refusal of the method, which is its cause
 */
export function foldUpdate(
  definition: Definition,
  run: Run,
  { member, to, undo, apply }: UpdateHandler,
  input: unknown,
): { readonly run: Run; readonly answer: unknown } {
  let answered: unknown;
  const data = foldData(member, run.data, (draft) => (answered = apply(draft, structuredClone(input))));
  const answer = plainAnswer(member, answered);
  return { run: enter(definition, { ...run, data }, to, undo), answer };
}

function plainAnswer(member: string, answer: unknown): unknown {
  if (answer === undefined) return undefined;
  const [problem] = payloadProblems(answer);
  if (problem !== undefined) throw new UserCodeError(`the answer of ${member} ${problem}`);
  return JSON.parse(JSON.stringify(answer)) as unknown;
}

/** Folds into a copy, and gives back what the database would: a Date is a string, a hole is null, undefined is gone. */
function foldData(member: string, data: unknown, fold: (draft: unknown) => void): unknown {
  const draft = structuredClone(data);
  callUserCode(member, () => fold(draft));
  return callUserCode(`${member}'s data`, (): unknown => {
    const json = JSON.stringify(draft);
    if (isStorable(json)) return JSON.parse(json);
    throw new Error('it contains a NUL character or half a surrogate pair, which PostgreSQL can not store');
  });
}
