import { OrderAccepted, orderDefinition, OrderSubmitted } from '../../../../test/machine/order-workflow.js';
import { delivery, MemoryRun } from '../../../../test/machine/memory-run.js';
import { afterStep, dueStep } from './steps.js';

const definition = orderDefinition();

function acceptedRun() {
  const memory = new MemoryRun(definition);
  memory.deliver(delivery(new OrderSubmitted('Ada')), delivery(new OrderAccepted(0)));
  return memory.run;
}

it('runs the steps of a state in the order of their declaration', () => {
  const run = acceptedRun();
  expect(dueStep(definition, run, [])?.name).toBe('reserveStock');
  expect(dueStep(definition, run, ['reserveStock'])?.name).toBe('charge');
  expect(dueStep(definition, run, ['charge', 'reserveStock'])?.name).toBe('releaseForShipment');
  expect(dueStep(definition, run, ['reserveStock', 'charge', 'releaseForShipment'])).toBeUndefined();
});

it('has no step due for a run that waits or has ended', () => {
  expect(dueStep(definition, { ...acceptedRun(), status: 'waiting' }, [])).toBeUndefined();
  expect(dueStep(definition, { ...acceptedRun(), status: 'failed' }, [])).toBeUndefined();
});

it('stays running while a step is left, without a journal entry', () => {
  const run = acceptedRun();
  expect(afterStep(definition, run, 'reserveStock', [])).toEqual({ run, moved: false, journal: [] });
});

it('moves the run after a step with `to`', () => {
  const run = acceptedRun();
  const after = afterStep(definition, run, 'releaseForShipment', ['reserveStock', 'charge']);
  expect(after.moved).toBe(true);
  expect(after.run).toMatchObject({
    state: 'AwaitingShipment',
    status: 'waiting',
    revision: run.revision + 1,
  });
  expect(after.journal).toMatchObject([
    {
      kind: 'step',
      name: 'releaseForShipment',
      fromState: 'Accepted',
      toState: 'AwaitingShipment',
      verdict: null,
    },
  ]);
});

it('waits after the last step without `to`', () => {
  const steps = definition.steps.map(({ to: _to, ...step }) => step);
  const { run, moved } = afterStep({ ...definition, steps }, acceptedRun(), 'releaseForShipment', [
    'reserveStock',
    'charge',
  ]);
  expect(run).toMatchObject({ state: 'Accepted', status: 'waiting' });
  expect(moved).toBe(false);
});

it('refuses the step of a state that the run has left (D1)', () => {
  const run = { ...acceptedRun(), state: 'AwaitingShipment' };
  expect(() => afterStep(definition, run, 'releaseForShipment', [])).toThrow('own state');
});

it('never goes back', () => {
  const steps = definition.steps.map((step) => ({ ...step, to: 'Submitted' }));
  expect(() => afterStep({ ...definition, steps }, acceptedRun(), 'charge', [])).toThrow('never goes back');
});
