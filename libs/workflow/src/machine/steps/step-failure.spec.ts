import { Agency, TripWorkflow } from '../../../../../test/engine/trip.js';
import { definitionOf } from '../../definition/verify.js';
import type { StepDefinition } from '../../model/definition.js';
import { stepRecord } from '../../model/step-record.js';
import { awaitedRun } from '../awaited-run.js';
import { isPastNoReturn } from './no-return.js';
import { afterGivingUp } from './step-failure.js';

const definition = definitionOf(new TripWorkflow(new Agency()));
const car = definition.steps.find(({ name }) => name === 'car') as StepDefinition;
const run = { ...awaitedRun({ id: '1', workflow: 'trip', key: 'one' }), status: 'running' as const };
const flight = stepRecord({ name: 'flight', status: 'done' });
const failed = stepRecord({ name: 'car', status: 'failed' });

it('undoes what was done', () => {
  expect(afterGivingUp(definition, run, car, [flight, failed])).toBe('compensating');
});

it('undoes what the step itself may have done', () => {
  expect(afterGivingUp(definition, run, car, [{ ...failed, inDoubt: true }])).toBe('compensating');
});

it('stops where nothing was done, or all of it is undone already', () => {
  const undone = stepRecord({ name: 'cancelFlight', kind: 'compensation', undoes: 'flight', status: 'done' });
  expect(afterGivingUp(definition, run, car, [failed])).toBe('failed');
  expect(afterGivingUp(definition, run, car, [flight, undone, failed])).toBe('failed');
});

it('stops where the step says so, and past the point of no return', () => {
  expect(afterGivingUp(definition, run, { ...car, onFailure: 'stop' }, [flight, failed])).toBe('failed');
  expect(afterGivingUp(definition, { ...run, noReturn: true }, car, [flight, failed])).toBe('failed');
});

describe('the point of no return', () => {
  const steps = definition.steps.map((step) => ({ ...step, noReturn: step.name === 'car' }));
  const past = (record: Parameters<typeof stepRecord>[0]) =>
    isPastNoReturn({ ...definition, steps }, [flight, stepRecord(record)]);

  it('is passed by a step that is done, lost or in doubt', () => {
    expect(past({ name: 'car', status: 'done' })).toBe(true);
    expect(past({ name: 'car', status: 'lost' })).toBe(true);
    expect(past({ name: 'car', status: 'retrying', inDoubt: true })).toBe(true);
  });

  it('is not passed by one that had no effect, nor by another one', () => {
    expect(past({ name: 'car', status: 'retrying' })).toBe(false);
    expect(past({ name: 'car', status: 'failed' })).toBe(false);
    expect(past({ name: 'hotel', status: 'done' })).toBe(false);
  });
});
