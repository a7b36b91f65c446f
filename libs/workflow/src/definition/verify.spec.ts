import {
  Accepted,
  Began,
  Done,
  Item,
  ItemOfVersion2,
  items,
  type Member,
  problemsOf,
  Recounted,
  shape,
  ticket,
  Undecorated,
  type Untyped,
  whenAllSeen,
} from '../../../../test/machine/ticket-workflow.js';
import { allItemsSeen } from './all-items-seen.js';
import { definitionOf } from './verify.js';
import { workflow } from './workflow.js';

async function* generates() {}

it('accepts a correct workflow, and answers its definition', () => {
  const instance = ticket();
  expect(problemsOf(instance)).toEqual([]);
  expect(definitionOf(instance)).toMatchObject({ workflow: 'ticket', version: 1, states: shape.states });
});

type Case = [problem: string, members: (w: Untyped) => Record<string, Member>, given?: Partial<typeof shape>];

const cases: Case[] = [
  // Name, version, states
  ["Ticket: the name 'a:b' is not one like", () => ({}), { name: 'a:b' }],
  ['Ticket: version is 0', () => ({}), { version: 0 }],
  ['Ticket: state Busy is named twice', () => ({}), { states: ['Open', 'Busy', 'Busy', 'Closed'] }],
  ['Ticket: there is no state Gone', () => ({}), { final: ['Closed', 'Gone'] }],
  ['Ticket: no state is final', () => ({}), { final: [] }],
  ['Ticket: there are no states', () => ({}), { states: [] }],
  [
    'Ticket: state Lost has no exit',
    (w) => ({ lost: w.Timeout({ in: 'Open', after: 1, to: 'Lost' }) }),
    { states: ['Open', 'Busy', 'Lost', 'Closed'] },
  ],
  [
    'Ticket: state Lost has no exit; give the step look a `to`',
    (w) => ({
      lost: w.Timeout({ in: 'Open', after: 1, to: 'Lost' }),
      look: w.Step({ in: 'Lost' }),
    }),
    { states: ['Open', 'Busy', 'Lost', 'Closed'] },
  ],
  [
    'Ticket: no way leads to state Lost',
    (w) => ({ lost: w.Timeout({ in: 'Lost', after: 1, to: 'Closed' }) }),
    { states: ['Open', 'Busy', 'Lost', 'Closed'] },
  ],
  ['Ticket: no event starts a run', () => ({ began: null })],
  // Transitions
  [
    'Ticket.done: there is no state Bust; the states are Open, Busy, Closed',
    (w) => ({ done: w.On(Done, { in: 'Bust', to: 'Closed' }) }),
  ],
  ['Ticket.work: there is no state Bust', (w) => ({ work: w.Step({ in: 'Bust' }) })],
  [
    'Ticket.expired: there is no state Bust',
    (w) => ({ expired: w.Timeout({ in: 'Open', after: 1, to: 'Bust' }) }),
  ],
  [
    'Ticket.reopened: leads back from Busy to Open',
    (w) => ({ reopened: w.On(Recounted, { in: 'Busy', to: 'Open', competes: true }) }),
  ],
  [
    'Ticket.stays: leads from Busy to Busy itself; leave `to` out',
    (w) => ({ stays: w.On(Recounted, { in: 'Busy', to: 'Busy', competes: true }) }),
  ],
  ['Ticket.after: belongs to the final state Closed', (w) => ({ after: w.On(Recounted, { in: 'Closed' }) })],
  ['Ticket.after: belongs to the final state Closed', (w) => ({ after: w.Step({ in: 'Closed' }) })],
  [
    'Ticket.after: belongs to the final state Closed',
    (w) => ({ after: w.Timeout({ in: 'Closed', after: 1, attention: 'x' }) }),
  ],
  // Events
  ['Ticket.began: starts a run without `to`', (w) => ({ began: w.On(Began, { start: true }) })],
  [
    'Ticket.began: has `start` and `in`',
    (w) => ({ began: w.On(Began, { start: true, in: 'Open', to: 'Open' }) }),
  ],
  [
    'Ticket.began: starts a run and has `item`, `key` or `when`',
    (w) => ({ began: w.On(Began, { start: true, to: 'Open', key: () => 'k' }) }),
  ],
  ['Ticket.other: has neither `start` nor `in`', (w) => ({ other: w.On(Recounted, {}) })],
  [
    'Ticket.again: takes began, which starts a run in began',
    (w) => ({ again: w.On(Began, { in: 'Busy', competes: true }) }),
  ],
  [
    'Ticket.again: starts a run by began, as began does',
    (w) => ({ again: w.On(Began, { start: true, to: 'Open' }) }),
  ],
  [
    'Ticket.again: takes done in Busy, as done does',
    (w) => ({ again: w.On(Done, { in: ['Open', 'Busy'], competes: true }) }),
  ],
  [
    'Ticket.other: has `item` and `key`',
    (w) => ({ other: w.On(Recounted, { in: 'Open', item: () => 0, key: () => '', competes: true }) }),
  ],
  [
    'Ticket.again: reads the subject of item by another option than item',
    (w) => ({
      item: w.On(Item, { ...items, in: 'Busy', competes: true }),
      again: w.On(ItemOfVersion2, { in: 'Open', competes: true }),
    }),
  ],
  [
    'Ticket.other: Undecorated is no message type: put @MessageType',
    (w) => ({ other: w.On(Undecorated, { in: 'Open' }) }),
  ],
  [
    'Ticket.accepted: Undecorated is no message type',
    (w) => ({
      accepted: w.On(Accepted, { in: 'Open', to: 'Busy', when: allItemsSeen(Undecorated, () => 1) }),
    }),
  ],
  [
    'Ticket.accepted: waits for all items of item, whose handler has no `item`',
    (w) => ({ accepted: w.On(Accepted, { in: 'Open', to: 'Busy', ...whenAllSeen }) }),
  ],
  [
    'Ticket.recounted: announces the number of item, as accepted does',
    (w) => ({
      item: w.On(Item, items),
      accepted: w.On(Accepted, { in: 'Open', to: 'Busy', ...whenAllSeen }),
      recounted: w.On(Recounted, { in: 'Open', ...whenAllSeen, competes: true }),
    }),
  ],
  ['Ticket.done: parkedFor is 0', (w) => ({ done: w.On(Done, { in: 'Busy', to: 'Closed', parkedFor: 0 }) })],
  // Methods
  [
    'Ticket.done: is an AsyncFunction; handlers are pure',
    (w) => ({ done: [w.On(Done, { in: 'Busy', to: 'Closed' }), async () => undefined] }),
  ],
  [
    'Ticket.done: is an AsyncGeneratorFunction',
    (w) => ({ done: [w.On(Done, { in: 'Busy', to: 'Closed' }), generates] }),
  ],
  [
    'Ticket.expired: is an AsyncFunction',
    (w) => ({ expired: [w.Timeout({ in: 'Open', after: 1, to: 'Closed' }), async () => undefined] }),
  ],
  [
    'Ticket.accepted: `when` is async',
    (w) => ({ accepted: w.On(Accepted, { in: 'Open', to: 'Busy', when: async () => true }) }),
  ],
  ['Ticket.work: is not a method', (w) => ({ work: [w.Step({ in: 'Busy' }), 'text'] })],
  // Steps and timeouts
  [
    "Ticket.work: effect is 'extern'; it is one of transactional, external",
    (w) => ({ work: w.Step({ in: 'Busy', effect: 'extern' }) }),
  ],
  ["Ticket.work: onFailure is 'halt'", (w) => ({ work: w.Step({ in: 'Busy', onFailure: 'halt' }) })],
  ['Ticket.work: retry.attempts is 0', (w) => ({ work: w.Step({ in: 'Busy', retry: { attempts: 0 } }) })],
  ['Ticket.work: retry.delay is -1s', (w) => ({ work: w.Step({ in: 'Busy', retry: { delay: '-1s' } }) })],
  [
    'Ticket.work: retry.delayMax is shorter',
    (w) => ({ work: w.Step({ in: 'Busy', retry: { delay: '1m', delayMax: '1s' } }) }),
  ],
  ['Ticket.work: timeout is 0s', (w) => ({ work: w.Step({ in: 'Busy', timeout: '0s' }) })],
  ['Ticket.work: timeout of 30d is longer than', (w) => ({ work: w.Step({ in: 'Busy', timeout: '30d' }) })],
  [
    'Ticket.expired: after is soon',
    (w) => ({ expired: w.Timeout({ in: 'Open', after: 'soon', to: 'Closed' }) }),
  ],
  ['Ticket.expired: needs either `to`', (w) => ({ expired: w.Timeout({ in: 'Open', after: 1 }) })],
  [
    'Ticket.expired: needs either `to`',
    (w) => ({ expired: w.Timeout({ in: 'Open', after: 1, to: 'Closed', attention: 'x' }) }),
  ],
  [
    'Ticket.second: never runs: first is declared before it and leaves Busy',
    (w) => ({ done: null, first: w.Step({ in: 'Busy', to: 'Closed' }), second: w.Step({ in: 'Busy' }) }),
  ],
  [
    'Ticket.second: never runs: first is declared before it and leaves Busy',
    (w) => ({
      done: null,
      first: w.Step({ in: 'Busy', to: 'Closed' }),
      second: w.Step({ in: 'Busy', to: 'Closed' }),
    }),
  ],
  [
    'Ticket.first: never runs: it waits for last, which leaves Busy; take that out of `after`',
    (w) => ({
      done: null,
      first: w.Step({ in: 'Busy', after: ['last'] }),
      last: w.Step({ in: 'Busy', to: 'Closed' }),
    }),
  ],
  [
    'Ticket.work: `after` names wrok, which is no step; name methods decorated with @Step',
    (w) => ({ work: w.Step({ in: 'Busy', after: ['wrok'] }) }),
  ],
  [
    'Ticket.work: `after` names early, a step of Open; steps of earlier states are over by then',
    (w) => ({ early: w.Step({ in: 'Open' }), work: w.Step({ in: 'Busy', after: ['early'] }) }),
  ],
  [
    'Ticket.work: waits for itself; take it out of its `after`',
    (w) => ({ work: w.Step({ in: 'Busy', after: ['work'] }) }),
  ],
  [
    'Ticket.a: waits for itself (a after c after b after a); take one of them out of `after`',
    (w) => ({
      a: w.Step({ in: 'Busy', after: ['c'] }),
      b: w.Step({ in: 'Busy', after: ['a'] }),
      c: w.Step({ in: 'Busy', after: ['b'] }),
    }),
  ],
  [
    'Ticket.last: has `after` and `to`; the step with `to` waits for all of its state',
    (w) => ({
      done: null,
      first: w.Step({ in: 'Busy' }),
      last: w.Step({ in: 'Busy', to: 'Closed', after: ['first'] }),
    }),
  ],
  [
    'Ticket.work: is transactional, which is exactly once; leave `guarantee` out',
    (w) => ({ work: w.Step({ in: 'Busy', guarantee: 'at-most-once' }) }),
  ],
  [
    'Ticket.work: forEach.concurrency is 0; give a whole number from 1 to 100',
    (w) => ({ work: w.Step({ in: 'Busy', forEach: { items: () => 1, concurrency: 0 } }) }),
  ],
  [
    'Ticket.work: is declared as a step twice',
    (w) => ({
      work: (target, member) =>
        [w.Step({ in: 'Open' }), w.Step({ in: 'Busy' })].forEach((one) => one(target, member)),
    }),
  ],
  [
    'Ticket.slow: is declared as a timeout of Open twice',
    (w) => ({ slow: w.Timeout({ in: ['Open', 'Busy', 'Open'], after: 1, attention: 'x' }) }),
  ],
  [
    'Ticket.done: is a step and a handler',
    (w) => ({
      done: (target, member) =>
        [w.Step({ in: 'Busy' }), w.On(Done, { in: 'Busy', to: 'Closed' })].forEach((one) =>
          one(target, member),
        ),
    }),
  ],
  [
    'Ticket.other: is decorated for workflow invoice, its class for ticket',
    () => ({ other: (workflow()('invoice', shape as never) as unknown as Untyped).Step({ in: 'Busy' }) }),
  ],
];

it.each(cases)('names the problem: %s', (problem, members, given = {}) => {
  const problems = problemsOf(ticket(members, given));
  expect(problems).toContainEqual(expect.stringContaining(problem));
});

it('accepts steps side by side, joined by the one that leaves the state, whatever their order', () => {
  const instance = ticket((w) => ({
    done: null,
    close: w.Step({ in: 'Busy', to: 'Closed', forEach: { items: () => 3 }, noReturn: true }),
    d: w.Step({ in: 'Busy', after: ['b', 'c'] }),
    b: w.Step({ in: 'Busy', after: ['a'] }),
    c: w.Step({ in: 'Busy', after: ['a'] }),
    a: w.Step({ in: 'Busy', after: [] }),
  }));
  expect(problemsOf(instance)).toEqual([]);
});

it('reports every problem of every workflow at once, and each cause once', () => {
  const one = ticket((w) => ({
    done: w.On(Done, { in: 'Bust', to: 'Closed' }),
    work: w.Step({ in: 'Busy', to: 'Closed', timeout: 0, guarantee: 'at-most-once' }),
  }));
  const other = ticket(() => ({}), { name: 'other', version: -1 });
  expect(problemsOf(one, other, {})).toEqual([
    expect.stringContaining('Ticket.work: timeout is 0'),
    'Ticket.done: there is no state Bust; the states are Open, Busy, Closed.',
    expect.stringContaining('Ticket.work: is transactional, which is exactly once'),
    'Ticket: version is -1; it is a whole number from 1.',
    'Object: is not marked with @Workflow(); mark it, or do not register it as a workflow.',
  ]);
});

it('refuses two workflows of one name and version', () => {
  expect(problemsOf(ticket(), ticket())).toEqual([
    'Ticket: is workflow ticket version 1, as Ticket is; give it another name or version.',
  ]);
  expect(
    problemsOf(
      ticket(),
      ticket(() => ({}), { version: 2 }),
    ),
  ).toEqual([]);
});

it('refuses a decorator on a static member', () => {
  const w = workflow()('static', { version: 1, states: ['Open'], final: ['Open'] }) as unknown as Untyped;
  class Static {
    static work() {}
  }
  w.Step({ in: 'Open' })(Static, 'work');
  w.Workflow()(Static);
  expect(problemsOf(new Static())).toContainEqual(
    'Static.work: is static; decorate methods of the instance.',
  );
});
