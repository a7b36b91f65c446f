import type { Definition } from '../../model/definition.js';
import type { Run } from '../../model/run.js';
import { type Decided, refused, UNCHANGED } from './control-order.js';
import { beginUndo } from '../position.js';

/**
 * Undoes what the run's steps have done, and ends it. Whether there is anything to undo is found by the worker that has the run next; a workflow that
 * undoes nothing is cancelled at once.
 */
export function cancel({ steps }: Definition, run: Run): Decided {
  if (run.status === 'compensation_failed')
    return refused(
      'compensation_failed',
      'The run is undone already, but for what could not be; redrive that, skip it, or terminate the run.',
    );
  if (run.undo !== null) return alreadyUndone(run);
  if (run.noReturn)
    return refused(
      'past_no_return',
      'A step that can not be taken back has begun; the run goes forward, or is terminated.',
    );
  const seenTo: Run = { ...run, attention: null };
  const after: Run = steps.some(({ compensation }) => compensation)
    ? beginUndo(seenTo, 'cancelled')
    : { ...seenTo, status: 'cancelled' };
  return { kind: 'changed', run: after, moved: true };
}

function alreadyUndone({ undo, state }: Run): Decided {
  if (undo?.to === 'cancelled') return UNCHANGED;
  return undo?.scope === 'abandoned'
    ? refused('undo_under_way', `The run has come to its end in ${state}; only what it left open is undone.`)
    : refused(
        'undo_under_way',
        'What the run has done is being undone already, after a failure or an event.',
      );
}
