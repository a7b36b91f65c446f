import {
  OrderAccepted,
  orderDefinition,
  OrderSubmitted,
} from '../../../../../test/machine/order-workflow.js';
import { delivery, MemoryRun } from '../../../../../test/machine/memory-run.js';
import { stepRecord } from '../../model/step-record.js';
import { afterStep, dueSteps } from './steps.js';

const definition = orderDefinition();
const done = (...names: string[]) => names.map((name) => stepRecord({ name, status: 'done' }));
const dueNames = (...args: Parameters<typeof dueSteps>) => dueSteps(...args).map(({ name }) => name);

function acceptedRun() {
  const memory = new MemoryRun(definition);
  memory.deliver(delivery(new OrderSubmitted('Ada')), delivery(new OrderAccepted(0)));
  return memory.run;
}

it('runs the steps of a state in the order of their declaration', () => {
  const run = acceptedRun();
  expect(dueNames(definition, run, [])).toEqual(['reserveStock']);
  expect(dueNames(definition, run, done('reserveStock'))).toEqual(['charge']);
  expect(dueNames(definition, run, done('charge', 'reserveStock'))).toEqual(['releaseForShipment']);
  expect(dueNames(definition, run, done('reserveStock', 'charge', 'releaseForShipment'))).toEqual([]);
});

describe('with a graph', () => {
  const [template] = definition.steps;
  /** Steps of one state, each behind the ones that it names. */
  const graph = (after: Record<string, readonly string[]>) => ({
    ...definition,
    steps: Object.entries(after).flatMap(([name, names]) =>
      template ? [{ ...template, name, in: 'Accepted', after: names }] : [],
    ),
  });

  it('runs the arms of a diamond side by side, and joins them', () => {
    const diamond = graph({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'] });
    const due = (...names: string[]) => dueNames(diamond, acceptedRun(), done(...names));
    expect([due(), due('a'), due('a', 'b'), due('a', 'c'), due('a', 'b', 'c')]).toEqual([
      ['a'],
      ['b', 'c'],
      ['c'],
      ['b'],
      ['d'],
    ]);
  });

  it('runs two chains side by side, whatever the other one has come to', () => {
    const chains = graph({ a: [], b: ['a'], x: [], y: ['x'] });
    expect(dueNames(chains, acceptedRun(), [])).toEqual(['a', 'x']);
    expect(dueNames(chains, acceptedRun(), done('x'))).toEqual(['a', 'y']);
    const held = [...done('x'), stepRecord({ name: 'a', status: 'in_doubt', inDoubt: true })];
    expect(dueNames(chains, acceptedRun(), held)).toEqual(['y']);
  });

  it('counts what was skipped or lost as over, and what waits for its next attempt as due', () => {
    const chain = graph({ a: [], b: ['a'] });
    const dueWith = (status: 'skipped' | 'lost' | 'retrying' | 'failed') =>
      dueNames(chain, acceptedRun(), [stepRecord({ name: 'a', status })]);
    expect([dueWith('skipped'), dueWith('lost'), dueWith('retrying'), dueWith('failed')]).toEqual([
      ['b'],
      ['b'],
      ['a'],
      [],
    ]);
  });
});

it('has no step due for a run that waits or has ended', () => {
  expect(dueNames(definition, { ...acceptedRun(), status: 'waiting' }, [])).toEqual([]);
  expect(dueNames(definition, { ...acceptedRun(), status: 'failed' }, [])).toEqual([]);
});

it('stays running while a step is left, without a journal entry', () => {
  const run = acceptedRun();
  expect(afterStep(definition, run, 'reserveStock', [])).toEqual({ run, moved: false, journal: [] });
});

it('moves the run after a step with `to`', () => {
  const run = acceptedRun();
  const after = afterStep(definition, run, 'releaseForShipment', done('reserveStock', 'charge'));
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
  const { run, moved } = afterStep(
    { ...definition, steps },
    acceptedRun(),
    'releaseForShipment',
    done('reserveStock', 'charge'),
  );
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
