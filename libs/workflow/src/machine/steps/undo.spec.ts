import { Agency, TripWorkflow } from '../../../../../test/engine/trip.js';
import { definitionOf } from '../../definition/verify.js';
import type { Run } from '../../model/run.js';
import { type StepRecord, stepRecord } from '../../model/step-record.js';
import { awaitedRun } from '../awaited-run.js';
import { beginUndo } from '../position.js';
import { withAbandoned } from './steps.js';
import { afterUndo, hasEffects, toUndo } from './undo.js';

const definition = definitionOf(new TripWorkflow(new Agency()));
const begun = awaitedRun({ id: '1', workflow: 'trip', key: 'one' });
const running: Run = { ...begun, version: 1, status: 'running', state: 'Booking' };
const undone: Run = beginUndo(running, 'compensated');

const at = (intendedMs: number, name: string, facts: Partial<StepRecord> = {}) =>
  stepRecord({ name, status: 'done', intendedMs, ...facts });
const undo = (undoes: string, status: StepRecord['status'], facts: Partial<StepRecord> = {}) =>
  stepRecord({ name: `cancel-${undoes}`, kind: 'compensation', undoes, status, ...facts });
const booked = [at(1, 'flight'), at(2, 'hotel'), at(3, 'car')];
const names = (run: Run, records: readonly StepRecord[]) =>
  toUndo(definition, run, records).map(({ step }) => step.name);

describe('what is to be undone', () => {
  it('is all that was done, newest first', () => {
    expect(names(undone, booked)).toEqual(['car', 'hotel', 'flight']);
    expect(names(undone, [at(9, 'flight'), at(2, 'hotel')])).toEqual(['flight', 'hotel']);
  });

  it('of what began at one instant, in the reverse order of their declaration', () => {
    expect(names(undone, [at(1, 'flight'), at(1, 'car'), at(1, 'hotel')])).toEqual([
      'car',
      'hotel',
      'flight',
    ]);
  });

  it.each<[what: string, facts: Partial<StepRecord>, undone: boolean]>([
    ['may have happened, and waits for its next attempt', { status: 'retrying', inDoubt: true }, true],
    ['is under way', { status: 'intent', inDoubt: true }, true],
    ['waits for a person', { status: 'in_doubt', inDoubt: true }, true],
    ['was given up, in doubt', { status: 'failed', inDoubt: true }, true],
    ['is lost', { status: 'lost', inDoubt: true }, true],
    ['has begun with its items', { status: 'open', itemsTotal: 3 }, true],
    ['was refused', { status: 'failed' }, false],
    ['was refused, and waits for its next attempt', { status: 'retrying' }, false],
    ['is delayed', { status: 'open' }, false],
    ['was skipped', { status: 'skipped', inDoubt: true }, false],
  ])('counts what %s: %j: %s', (_, facts, isUndone) => {
    expect(names(undone, [at(1, 'car', facts)])).toEqual(isUndone ? ['car'] : []);
    expect(hasEffects(definition, [at(1, 'car', facts)])).toBe(isUndone);
  });

  it('goes on behind what is undone, or could not be', () => {
    expect(names(undone, [...booked, undo('car', 'retrying')])).toEqual(['car', 'hotel', 'flight']);
    expect(names(undone, [...booked, undo('car', 'failed')])).toEqual(['hotel', 'flight']);
    expect(names(undone, [...booked, undo('car', 'failed'), undo('hotel', 'done')])).toEqual(['flight']);
  });

  it('is a step of the newest generation, whatever was undone of an older one', () => {
    const again = at(4, 'car', { generation: 1 });
    expect(names(undone, [again, undo('car', 'done')])).toEqual(['car']);
    expect(names(undone, [again, undo('car', 'done', { generation: 1 })])).toEqual([]);
  });

  it('is only what was left open, while the run goes on', () => {
    const open = at(3, 'car', { status: 'retrying', inDoubt: true, abandoned: true });
    expect(names(running, [at(1, 'flight'), open])).toEqual(['car']);
    expect(names({ ...running, status: 'paused' }, [open])).toEqual([]);
  });
});

describe('a run that is undone', () => {
  it('ends once nothing is left', () => {
    const all = [...booked, undo('car', 'done'), undo('hotel', 'done')];
    expect(afterUndo(definition, undone, all)).toBe(undone);
    expect(afterUndo(definition, undone, [...all, undo('flight', 'done')]).status).toBe('compensated');
    expect(afterUndo(definition, beginUndo(running, 'cancelled'), []).status).toBe('cancelled');
  });

  it('ends as one that could not be undone, if something could not', () => {
    const all = [...booked, undo('car', 'done'), undo('hotel', 'failed'), undo('flight', 'done')];
    expect(afterUndo(definition, undone, all).status).toBe('compensation_failed');
  });
});

describe('a run that was moved away from an open step', () => {
  const open = at(3, 'car', { status: 'intent', inDoubt: true, abandoned: true });
  const moved = (status: Run['status']): Run => ({ ...running, state: 'Later', status });

  it('has work where it would wait', () => {
    expect(withAbandoned(definition, moved('waiting'), [open]).status).toBe('running');
    expect(withAbandoned(definition, moved('paused'), [open]).status).toBe('paused');
    expect(withAbandoned(definition, moved('waiting'), [open, undo('car', 'failed')]).status).toBe('waiting');
  });

  it('has not ended before that is undone, nor if it could not be', () => {
    const ended = withAbandoned(definition, moved('completed'), [open]);
    expect(ended).toMatchObject({ status: 'compensating', undo: { scope: 'abandoned', to: 'completed' } });
    expect(withAbandoned(definition, moved('completed'), [open, undo('car', 'failed')])).toEqual(ended);
    expect(withAbandoned(definition, moved('completed'), [open, undo('car', 'done')]).status).toBe(
      'completed',
    );
  });
});
