import { graphDiff, type KeptGraph } from './graph-diff.js';
import { fingerprint } from './fingerprint.js';
import { orderDefinition } from '../../../../test/machine/order-workflow.js';

const kept: Readonly<Record<string, unknown>> = {
  workflow: 'form',
  version: 1,
  states: ['Filed', 'Checked', 'Archived'],
  final: ['Archived'],
  handlers: [
    { member: 'filed', type: 'form.filed', start: true, in: [], to: 'Filed', publish: null },
    { member: 'noted', type: 'form.noted', start: false, in: ['Filed', 'Checked'], to: null },
  ],
  steps: [
    { name: 'check', in: 'Filed', to: null, effect: 'transactional' },
    { name: 'charge', in: 'Filed', to: 'Checked', effect: 'transactional' },
  ],
  timeouts: [
    { member: 'overdue', in: 'Filed', to: null },
    { member: 'overdue', in: 'Checked', to: 'Archived' },
  ],
};

it('says nothing of equal graphs, whatever the order of their keys', () => {
  const { graph } = fingerprint(orderDefinition());
  const shuffled = Object.fromEntries(Object.entries(graph).toReversed());
  expect(graphDiff({ ...graph }, shuffled)).toEqual([]);
});

it.each<[string, KeptGraph, string[]]>([
  ['an added state', { states: ['Filed', 'Checked', 'Lost', 'Archived'] }, ['state Lost is new']],
  ['a state that is gone', { final: [] }, ['final Archived is gone']],
  [
    'states in another order',
    { states: ['Checked', 'Filed', 'Archived'] },
    ['states were in the order Filed, Checked, Archived; are in the order Checked, Filed, Archived'],
  ],
  [
    'what a handler takes, and where it leads',
    { handlers: [list('handlers')[0], { ...list('handlers')[1], in: ['Checked'], to: 'Archived' }] },
    ['handler noted: in was Filed, Checked; is Checked', 'handler noted: to was not set; is Archived'],
  ],
  [
    'a step under another name',
    { steps: [{ ...list('steps')[0], name: 'inspect' }, list('steps')[1]] },
    [
      'step check is gone; it was in Filed, effect transactional',
      'step inspect is new: in Filed, effect transactional',
    ],
  ],
  [
    'steps in another order',
    { steps: list('steps').toReversed() },
    ['steps of Filed were in the order check, charge; are in the order charge, check'],
  ],
  [
    'a field that this release knows and the one before did not',
    {
      steps: [
        list('steps')[0],
        { ...list('steps')[1], guarantee: 'at-most-once', noReturn: true, after: [] },
      ],
    },
    [
      'step charge: guarantee was not set; is at-most-once',
      'step charge: noReturn was not set; is true',
      'step charge: after was not set; is none',
    ],
  ],
  [
    'a timeout of one of its states',
    { timeouts: [list('timeouts')[0], { ...list('timeouts')[1], to: null }] },
    ['timeout overdue in Checked: to was Archived; is not set'],
  ],
  [
    'lists that the release before did not have',
    { queries: [{ member: 'fee', in: ['Filed'] }], compensations: [] },
    ['query fee is new: in Filed'],
  ],
  [
    'a fact of the whole workflow',
    { deadline: { to: 'Archived' } },
    ['deadline was not set; is {"to":"Archived"}'],
  ],
])('names %s', (_what, changed, lines) => {
  expect(graphDiff(kept, { ...kept, ...changed })).toEqual(lines);
});

it('leaves out what is at its default, and the order of handlers', () => {
  const handlers = list('handlers')
    .map((one) => ({ ...one, guard: null }))
    .toReversed();
  expect(graphDiff(kept, { ...kept, handlers, deadline: null, confirms: [] })).toEqual([]);
});

function list(part: string): readonly Record<string, unknown>[] {
  return kept[part] as readonly Record<string, unknown>[];
}
