import type { Definition, UpdateHandler } from '../model/definition.js';
import type { Run } from '../model/run.js';
import type { AskedUpdate, UpdateRule, UpdateVerdict } from '../model/update.js';
import { foldUpdate } from './fold.js';
import { hasEnded } from './position.js';
import { reachableFrom } from './reachability.js';
import { isUpdateRefusal } from './update-refused-error.js';
import { UserCodeError } from './user-code.js';

/** What an update comes to, and the run after it if it is made now; one that was made before changes nothing. */
export interface DecidedUpdate {
  readonly verdict: UpdateVerdict;
  readonly run?: Run;
}

/**
 * Decides an update and makes it on a copy of the run. Pure. The rules in their order: was it made before, is there a run and an update of that
 * name, is the input valid, does the state accept it, does its method agree.
 */
export function makeUpdate(definition: Definition, run: Run, update: AskedUpdate): DecidedUpdate {
  const { member, input } = update;
  const before = madeBefore(update);
  if (before) return { verdict: before };
  if (run.state === null) return refused('run-not-started', `run ${run.key} is not started`);
  if (hasEnded(run)) return refused('run-ended', `the run is ${run.status}`);
  const handler = definition.updates.find((one) => one.member === member);
  if (!handler) {
    const what = `version ${definition.version} of ${definition.workflow} has no @Update ${member}`;
    return refused('unknown-update', `${what}; declare it there, or ask for one that it has`);
  }
  const problems = handler.problems(input);
  if (problems.length > 0) return refused('invalid-input', problems.join('; '), { problems });
  return misplaced(definition, run, run.state, handler) ?? made(definition, run, handler, input);
}

/** The verdict on an update whose id the run's journal has; it needs no definition. */
export function madeBefore(update: AskedUpdate): UpdateVerdict | undefined {
  if (!update.earlier) return undefined;
  const { member, digest, answer } = update.earlier;
  if (member === update.member && digest === update.digest) return { verdict: 'answered', answer };
  const what = member === update.member ? 'with other input' : `for ${member}`;
  return refused('conflicting-input', `the id ${update.id} was used before, ${what}`).verdict;
}

function misplaced(
  definition: Definition,
  run: Run,
  state: string,
  { member, in: accepting, undo = false }: UpdateHandler,
): DecidedUpdate | undefined {
  if (run.status === 'failed') return refused('run-failed', 'the run has failed and waits for a person');
  if (undo && run.noReturn)
    return refused('past-no-return', `${member} would undo what can not be taken back any more`);
  if (accepting.includes(state)) return undefined;
  const ahead = reachableFrom(definition, state);
  const early = accepting.some((one) => ahead.has(one));
  const detail = `the run is in ${state}, ${member} is for ${accepting.join(', ')}`;
  return refused(early ? 'state-not-reached' : 'state-left', detail);
}

function made(definition: Definition, run: Run, handler: UpdateHandler, input: unknown): DecidedUpdate {
  try {
    const after = foldUpdate(definition, run, handler, input);
    return { verdict: { verdict: 'answered', answer: after.answer }, run: after.run };
  } catch (error) {
    if (!(error instanceof UserCodeError)) throw error;
    if (!isUpdateRefusal(error.cause)) return refused('handler-failed', error.message);
    const { message, details } = error.cause;
    return refused('declined', message, details);
  }
}

function refused(
  rule: UpdateRule,
  detail: string,
  details?: Readonly<Record<string, unknown>>,
): DecidedUpdate {
  return { verdict: { verdict: 'refused', rule, detail, ...(details && { details }) } };
}
