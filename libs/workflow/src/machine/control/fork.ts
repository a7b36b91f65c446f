import type { JournalEntry } from '../../model/change.js';
import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { type StepRecord, stepRecord } from '../../model/step-record.js';
import { type ControlRefusal, refused } from './control-order.js';
import { goingOn } from './control-steps.js';
import { foldEvent, foldTimeout, foldUpdate } from '../fold.js';
import { isObject, mergePatch } from './merge-patch.js';
import { isPastNoReturn } from '../steps/no-return.js';
import { enter } from '../position.js';
import { subjectOf } from '../subject.js';
import { UserCodeError } from '../user-code.js';

/** An entry of a journal, as far as it says what the run became by it. */
export type ToldEntry = Pick<
  JournalEntry,
  'revision' | 'kind' | 'name' | 'verdict' | 'rule' | 'toState' | 'digest' | 'payload' | 'eventId' | 'source'
> & { readonly at: Date };

/** A step that was done at the point of the fork. */
export type StepTold = Pick<StepRecord, 'name' | 'output'>;

/**
 * A run as it was at a point of another one's timeline: what the journal tells is folded again, and has to lead through the states that it names.
 * What steps had done by then is the other run's to undo; here they are skipped, with their outputs. Pure.
 * @param fresh a run of which nothing is known but its name
 */
export function foldAgain(
  definition: Definition,
  fresh: Run,
  journal: readonly ToldEntry[],
  done: readonly StepTold[],
): { readonly run: Run; readonly records: readonly StepRecord[] } | ControlRefusal {
  let run = fresh;
  for (const entry of journal) {
    const next = told(definition, run, entry);
    if (next?.state !== entry.toState) return diverges(entry);
    run = { ...next, attention: null, revision: entry.revision };
  }
  if (run.state === null) return refused('fork_point', 'The run was not started yet at this point.');
  if (run.undo !== null || definition.final.includes(run.state))
    return refused(
      'fork_point',
      `The run had ended at this point, or was undone, in ${run.state}; choose an earlier one.`,
    );
  const records = done.map(({ name, output }) => stepRecord({ name, status: 'skipped', output }));
  const goes = goingOn(definition, { ...run, noReturn: isPastNoReturn(definition, records) }, records);
  return { run: goes, records };
}

function diverges({ revision, kind, name }: ToldEntry): ControlRefusal {
  return refused(
    'fork_diverges',
    `Folding ${kind} ${name} of revision ${revision} again does not lead to where it once did; choose a point before it.`,
  );
}

/** The run after an entry; undefined where the definition of today does not know what it tells. */
function told(definition: Definition, run: Run, entry: ToldEntry): Run | undefined {
  try {
    return change(definition, run, entry);
  } catch (error) {
    if (error instanceof UserCodeError) return undefined;
    throw error;
  }
}

function change(definition: Definition, run: Run, entry: ToldEntry): Run | undefined {
  const { kind, verdict, rule, name, payload, toState } = entry;
  if (kind === 'event') return verdict === 'applied' ? eventTold(definition, run, entry) : run;
  if (kind === 'timer') return rule === null ? timerTold(definition, run, name) : run;
  if (kind === 'update') return updateTold(definition, run, entry);
  if (kind === 'undo' || (kind === 'control' && ENDS.has(name)))
    return { ...run, undo: { scope: 'all', to: 'cancelled' } };
  const patch = isObject(payload) ? payload['patch'] : undefined;
  const data = isObject(patch) && isObject(run.data) ? mergePatch(run.data, patch) : run.data;
  if (kind === 'control' && name === 'migrate') return undefined;
  return toState === null || toState === run.state
    ? { ...run, data }
    : enter(definition, { ...run, data }, toState);
}

/** From here on the run was undone, or was given up. */
const ENDS: ReadonlySet<string> = new Set(['cancel', 'terminate']);

function eventTold(definition: Definition, run: Run, entry: ToldEntry): Run | undefined {
  const { name: type, payload, digest, eventId, source, at } = entry;
  const handler = definition.handlers.find(
    (one) =>
      one.type === type &&
      (run.state === null ? one.start : one.in.includes(run.state)) &&
      one.problems(payload).length === 0,
  );
  if (!handler) return undefined;
  const subject = subjectOf(handler.subject, payload);
  if ('problem' in subject) return undefined;
  const { typeVersion } = handler;
  const text = { id: eventId ?? '', source: source ?? '', digest: digest ?? '' };
  const event = { ...text, type, typeVersion, payload, receivedAt: at };
  return foldEvent(definition, run, { event, handler, subject, accepted: true, reachable: true });
}

function timerTold(definition: Definition, run: Run, member: string): Run | undefined {
  const timeout = definition.timeouts.find(
    (one) => one.member === member && [run.state, '*'].includes(one.in),
  );
  return timeout && foldTimeout(definition, run, timeout);
}

function updateTold(definition: Definition, run: Run, { name, payload }: ToldEntry): Run | undefined {
  const handler = definition.updates.find(({ member }) => member === name);
  const input = isObject(payload) ? payload['input'] : undefined;
  return handler && foldUpdate(definition, run, handler, input).run;
}
