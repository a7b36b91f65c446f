import { ParcelWorkflow } from '../../../../test/machine/parcel-workflow.js';
import { definitionOf } from '../definition/verify.js';
import type { Run } from '../model/run.js';
import { awaitedRun } from './awaited-run.js';
import { publicStatus } from './public-status.js';
import { reached } from './reached.js';

const definition = definitionOf(new ParcelWorkflow());
const run = (given: Partial<Run>) => ({
  ...awaitedRun({ id: 'r', workflow: 'parcel', key: 'k' }),
  status: 'waiting' as const,
  state: 'OnTheWay',
  ...given,
});

it.each<[string | undefined, string, Partial<Run>, string[]]>([
  [undefined, 'goes on', {}, []],
  [undefined, 'may still come there', {}, ['Delivered']],
  [undefined, 'is not started', { state: null, status: 'awaited' }, ['Returned']],
  ['state', 'is there', {}, ['Announced', 'OnTheWay']],
  ['state', 'is there and needs a person', { attention: 'lost' }, ['OnTheWay']],
  ['end', 'has ended', { state: 'Delivered', status: 'completed' }, []],
  ['end', 'has ended elsewhere', { state: 'Returned', status: 'terminated' }, ['Delivered']],
  ['attention', 'has failed', { status: 'failed' }, []],
  ['attention', 'could not be undone', { status: 'compensation_failed' }, ['Delivered']],
  ['attention', 'needs a person', { attention: 'the parcel is lost' }, []],
  ['missed', 'can not come there any more', {}, ['Announced', 'Returned']],
])('answers %p to who waits for a run that %s', (answer, _what, given, states) => {
  expect(reached(definition, run(given), states)).toBe(answer);
});

it('waits on without the definition: it may be ahead', () => {
  expect(reached(undefined, run({}), ['Announced'])).toBeUndefined();
});

const all = { scope: 'all', to: 'cancelled' } as const;

it.each<[string, boolean, Partial<Run>]>([
  ['in-progress', false, { status: 'running' }],
  ['in-progress', false, { status: 'paused', attention: 'somebody looks at it' }],
  ['in-progress', false, { status: 'failed' }],
  ['in-progress', false, { status: 'compensating', undo: { scope: 'abandoned', to: 'completed' } }],
  ['cancelling', false, { status: 'compensating', undo: all }],
  ['cancelling', false, { status: 'compensation_failed', undo: all }],
  ['cancelled', true, { status: 'cancelled', undo: all }],
  ['cancelled', true, { status: 'compensated', undo: { scope: 'all', to: 'compensated' } }],
  ['cancelled', true, { status: 'terminated' }],
  ['completed', true, { status: 'completed' }],
])('says %s, ended: %p, of a run with %p', (status, ended, given) => {
  expect(publicStatus({ ...run(given), state: 'OnTheWay' })).toEqual({ status, state: 'OnTheWay', ended });
});
