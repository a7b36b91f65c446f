import type { Definition } from '../../model/definition.js';
import { isSettled, type StepRecord } from '../../model/step-record.js';

/** Whether a step that can not be taken back is done, or may have taken effect: what the run has done is not undone any more. */
export function isPastNoReturn({ steps }: Definition, records: readonly StepRecord[]): boolean {
  return records.some(
    (record) =>
      record.kind === 'step' &&
      (isSettled(record) || record.inDoubt || record.itemsTotal !== null) &&
      steps.some(({ name, noReturn }) => noReturn && name === record.name),
  );
}
