import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { type ControlFacts, type Decided, refused, UNCHANGED } from './control-order.js';
import { goingOn } from './control-steps.js';

/** From now on nothing of the run is begun and no timer fires. A call under way may end; events are folded. */
export function pause(run: Run): Decided {
  if (run.status === 'paused') return UNCHANGED;
  return standsStill(run) ?? { kind: 'changed', run: { ...run, status: 'paused' } };
}

/** The run goes on where it is, or goes on being undone. */
export function resume(definition: Definition, run: Run, { records }: ControlFacts): Decided {
  const stands = standsStill(run);
  if (stands) return stands;
  if (run.status !== 'paused') return UNCHANGED;
  const after: Run =
    run.undo === null ? goingOn(definition, run, records) : { ...run, status: 'compensating' };
  return { kind: 'changed', run: after, resumed: true };
}

function standsStill({ status }: Run): Decided | undefined {
  if (status === 'failed')
    return refused('failed', 'The run has failed and stands still; redrive or skip what has given up.');
  if (status === 'compensation_failed')
    return refused(
      'compensation_failed',
      'The run stands still; redrive or skip the compensation that has given up.',
    );
  return undefined;
}
