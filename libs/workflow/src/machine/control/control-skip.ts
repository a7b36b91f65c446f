import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import type { StepRecord } from '../../model/step-record.js';
import { withoutStuck } from './attention.js';
import {
  type ControlFacts,
  type Decided,
  refused,
  type SkipTerms,
  type StepOrder,
  UNCHANGED,
} from './control-order.js';
import { backToWork, isUndone, notStuck, recordsAfter, stepIn, stuckRecords } from './control-steps.js';
import { isStorable } from '../storable.js';
import { afterStep } from '../steps/steps.js';

/**
 * The one step that has given up, or is in doubt, counts as done, and the run goes on behind it.
 * @param status `skipped`: whatever it did is the person's, and is not undone with the others
 */
export function skip(
  definition: Definition,
  run: Run,
  { records }: ControlFacts,
  { step, output = null }: SkipTerms,
  status: 'skipped' | 'done' = 'skipped',
): Decided {
  if (run.status === 'paused')
    return refused('paused', 'The run is paused: resume it first, then see to what has stopped it.');
  if (!isStorable(JSON.stringify(output) ?? 'null'))
    return refused('output_invalid', 'The output is to be JSON that PostgreSQL can keep.');
  const stuck = stuckRecords(definition, run, records);
  const chosen = step === undefined ? stuck : named(definition, run, records, { step, stuck, status });
  const [record, ...others] = chosen;
  if (record === undefined) return noneStuck(definition, run, records, { step, status });
  if (others.length > 0)
    return refused(
      'step_ambiguous',
      `Several wait for a person, name one of them as step: ${chosen.map(({ name }) => name).join(', ')}.`,
    );
  return settle(definition, run, records, { kind: 'settle', record, status, output });
}

/** Of one that was made at most once and lost, it may be known by now that it happened. */
function named(
  definition: Definition,
  run: Run,
  records: readonly StepRecord[],
  { step, stuck, status }: { step: string; stuck: readonly StepRecord[]; status: StepRecord['status'] },
): StepRecord[] {
  const isLost = (record: StepRecord): boolean =>
    status === 'done' &&
    record.status === 'lost' &&
    !isUndone(run) &&
    stepIn(definition, run, record) !== undefined;
  return [...stuck, ...records.filter(isLost)].filter(({ name }) => name === step);
}

function noneStuck(
  definition: Definition,
  run: Run,
  records: readonly StepRecord[],
  { step, status }: { readonly step: string | undefined; readonly status: StepRecord['status'] },
): Decided {
  if (step === undefined)
    return refused('nothing_to_skip', `The run is ${run.status}, and nothing has given up or is in doubt.`);
  const isThere = records.some((one) => one.name === step && one.status === status);
  return isThere ? UNCHANGED : notStuck(definition, run, records, step);
}

function settle(
  definition: Definition,
  before: Run,
  records: readonly StepRecord[],
  order: StepOrder & { readonly kind: 'settle' },
): Decided {
  const { name, kind } = order.record;
  const steps = [order];
  const run: Run = { ...before, attention: withoutStuck(before.attention, [name]) };
  const after = recordsAfter(records, steps);
  if (kind === 'compensation') return { kind: 'changed', run: backToWork(definition, run, after), steps };
  const next = afterStep(definition, { ...run, status: 'running' }, name, after);
  if (next.moved) return { kind: 'changed', run: next.run, moved: true, steps };
  return { kind: 'changed', run: backToWork(definition, next.run, after), steps };
}
