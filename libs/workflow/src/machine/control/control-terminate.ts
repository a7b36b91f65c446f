import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import type { ControlFacts, Decided, EffectLeft } from './control-order.js';
import { beginUndo } from '../position.js';
import { toUndo } from '../steps/undo.js';

/** Ends the run where it is. Nothing is undone: what stays is in the answer. */
export function terminate(definition: Definition, run: Run, facts: ControlFacts): Decided {
  const left = effectsLeft(definition, run, facts);
  const after: Run = { ...run, status: 'terminated', attention: null };
  return { kind: 'changed', run: after, moved: true, left, detail: left.length > 0 ? { left } : null };
}

/** What could be undone, and is not: what a compensation has given up on too. */
function effectsLeft(definition: Definition, run: Run, { records }: ControlFacts): EffectLeft[] {
  const untried = records.filter(({ kind, status }) => kind === 'step' || status !== 'failed');
  return toUndo(definition, beginUndo(run, 'cancelled'), untried).map(({ step, record }) => ({
    step: step.name,
    outcome: record.status === 'done' ? 'done' : 'unknown',
    compensation: step.compensation?.name ?? '',
  }));
}
