import type { Definition, StepDefinition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { isSettled, type StepRecord } from '../../model/step-record.js';

/** One effect that is to be undone. */
export interface Undoing {
  /** A step that has a compensation. */
  readonly step: StepDefinition;
  /** Its record: done, or in doubt. */
  readonly record: StepRecord;
  /** The record of the compensation, once it has been tried. */
  readonly undo: StepRecord | undefined;
}

/**
 * What is still to be undone, newest first: only the first of it is at work, and what comes after it waits for its end, good or bad. While
 * a run goes on that is what it left open in an earlier state; else all that its steps have done or may have done.
 */
export function toUndo(definition: Definition, run: Run, records: readonly StepRecord[]): Undoing[] {
  const all = run.status === 'compensating' && run.undo?.scope === 'all';
  if (!all && run.status !== 'running' && run.status !== 'compensating') return [];
  return everUndone(definition, records)
    .filter(({ record }) => all || record.abandoned)
    .filter(({ undo }) => undo === undefined || !(isSettled(undo) || undo.status === 'failed'))
    .toSorted(
      (a, b) =>
        b.record.intendedMs - a.record.intendedMs ||
        definition.steps.indexOf(b.step) - definition.steps.indexOf(a.step),
    );
}

/** Whether cancelling or failing would have anything to undo. */
export function hasEffects(definition: Definition, records: readonly StepRecord[]): boolean {
  return everUndone(definition, records).some(({ undo }) => !isUndone(undo));
}

/** Whether something that was left open in an earlier state is not undone yet, or could not be. */
export function hasLeftOpen(definition: Definition, records: readonly StepRecord[]): boolean {
  return everUndone(definition, records).some(({ record, undo }) => record.abandoned && !isUndone(undo));
}

/** The run once nothing is left to undo; until then as it is. */
export function afterUndo(definition: Definition, run: Run, records: readonly StepRecord[]): Run {
  if (run.status !== 'compensating' || run.undo === null) return run;
  if (toUndo(definition, run, records).length > 0) return run;
  const stuck = everUndone(definition, records).some(({ undo }) => undo?.status === 'failed');
  return { ...run, status: stuck ? 'compensation_failed' : run.undo.to };
}

/** A compensation that a person has skipped counts as done: the effect is the person's. */
function isUndone(undo: StepRecord | undefined): boolean {
  return undo !== undefined && isSettled(undo);
}

function everUndone({ steps }: Definition, records: readonly StepRecord[]): Undoing[] {
  return records.flatMap((record): Undoing[] => {
    if (record.kind !== 'step' || !tookEffect(record)) return [];
    const step = steps.find(({ name, compensation }) => name === record.name && compensation !== undefined);
    if (!step) return [];
    const undo = records.find(
      ({ kind, undoes, generation }) =>
        kind === 'compensation' && undoes === record.name && generation === record.generation,
    );
    return [{ step, record, undo }];
  });
}

/** It did, or may have. What a person has skipped is the person's; of a step over items, those that were begun. */
export function tookEffect({ status, inDoubt, itemsTotal }: StepRecord): boolean {
  if (status === 'skipped') return false;
  return status === 'done' || status === 'lost' || inDoubt || itemsTotal !== null;
}
