import type { Definition, StepDefinition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import type { StepRecord } from '../../model/step-record.js';
import { hasEffects } from './undo.js';

/**
 * What becomes of a run whose step has given up: all is undone, unless nothing is, nothing may be any more, or the step says that a person
 * decides. The step's own record is among the given ones if one of its attempts is in doubt.
 */
export function afterGivingUp(
  definition: Definition,
  run: Run,
  step: StepDefinition,
  records: readonly StepRecord[],
): 'failed' | 'compensating' {
  if (step.onFailure === 'stop' || run.noReturn) return 'failed';
  return hasEffects(definition, records) ? 'compensating' : 'failed';
}
