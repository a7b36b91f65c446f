import {
  Done,
  Item,
  type Member,
  problemsOf,
  shape,
  ticket,
  Undecorated,
  type Untyped,
} from '../../../../../test/machine/ticket-workflow.js';
import { fingerprint } from '../fingerprint.js';
import { definitionOf } from '../verify.js';

type Decorator = (target: object, member: string) => void;

/** As `Untyped`: what the compiler refuses, boot has to refuse too. */
interface Asking extends Untyped {
  Update(options: object): Decorator;
  Query(): Decorator;
  Status(): Decorator;
}

const withMembers = (members: (w: Asking) => Record<string, Member>, given?: Partial<typeof shape>) =>
  ticket((w) => members(w as Asking), given);
const both = (...decorators: Decorator[]): Decorator => {
  return (target, member) => {
    for (const decorate of decorators) decorate(target, member);
  };
};

it('accepts updates, queries and a status', () => {
  const instance = withMembers((w) => ({
    rename: w.Update({ in: ['Open', 'Busy'], input: Item }),
    drop: w.Update({ in: 'Busy', to: 'Closed' }),
    total: w.Query(),
    status: w.Status(),
    done: w.On(Done, { in: 'Busy', to: 'Closed', competes: true }),
  }));
  expect(problemsOf(instance)).toEqual([]);
  expect(definitionOf(instance)).toMatchObject({
    updates: [
      { member: 'rename', in: ['Open', 'Busy'], inputType: 'item v1' },
      { member: 'drop', in: ['Busy'], to: 'Closed' },
    ],
    queries: [{ member: 'total' }],
    status: { member: 'status' },
  });
});

it('counts the way of an update as a way', () => {
  const given = { states: ['Open', 'Busy', 'Parked', 'Closed'] };
  const instance = withMembers(
    (w) => ({ park: w.Update({ in: 'Open', to: 'Parked' }), end: w.Update({ in: 'Parked', to: 'Closed' }) }),
    given,
  );
  const problems = problemsOf(instance);
  expect(problems).not.toContainEqual(expect.stringContaining('no way leads to state Parked'));
  expect(problems).not.toContainEqual(expect.stringContaining('no exit'));
});

it.each<[string, (w: Asking) => Record<string, Member>]>([
  ['Ticket.change: there is no state Bust; the states are', (w) => ({ change: w.Update({ in: 'Bust' }) })],
  ['Ticket.change: there is no state Bust', (w) => ({ change: w.Update({ in: 'Open', to: 'Bust' }) })],
  ['Ticket.change: has no state in `in`', (w) => ({ change: w.Update({ in: [] }) })],
  ['Ticket.change: has no state in `in`', (w) => ({ change: w.Update({}) })],
  ['Ticket.change: belongs to the final state Closed', (w) => ({ change: w.Update({ in: 'Closed' }) })],
  ['Ticket.change: has `undo` without `to`', (w) => ({ change: w.Update({ in: 'Open', undo: true }) })],
  [
    'Ticket.change: undoes the run and leads to Busy, which is not final',
    (w) => ({ change: w.Update({ in: 'Open', to: 'Busy', undo: true }) }),
  ],
  ['Ticket.change: leads back from Busy to Open', (w) => ({ change: w.Update({ in: 'Busy', to: 'Open' }) })],
  [
    'Ticket.change: leads from Open to Open itself',
    (w) => ({ change: w.Update({ in: 'Open', to: 'Open' }) }),
  ],
  [
    'Ticket.change: Undecorated is no message type',
    (w) => ({ change: w.Update({ in: 'Open', input: Undecorated }) }),
  ],
  [
    'Ticket.change: is an AsyncFunction; handlers are pure and synchronous',
    (w) => ({ change: [w.Update({ in: 'Open' }), async () => undefined] }),
  ],
  ['Ticket.total: is an AsyncFunction', (w) => ({ total: [w.Query(), async () => undefined] })],
  ['Ticket.status: is an AsyncFunction', (w) => ({ status: [w.Status(), async () => undefined] })],
  ['Ticket.said: is the @Status; call the method `status`', (w) => ({ said: w.Status() })],
  ['Ticket.status: is what client.status asks', (w) => ({ status: w.Query() })],
  ['Ticket.status: is what client.status asks', (w) => ({ status: w.Update({ in: 'Open' }) })],
  [
    'Ticket.done: is asked by callers and called by the engine too',
    (w) => ({ done: both(w.On(Done, { in: 'Busy', to: 'Closed' }), w.Query()) }),
  ],
  [
    'Ticket.work: is asked by callers and called by the engine too',
    (w) => ({ work: both(w.Step({ in: 'Busy' }), w.Update({ in: 'Open' })) }),
  ],
  [
    'Ticket.change: is decorated with @Update or @Query twice',
    (w) => ({ change: both(w.Update({ in: 'Open' }), w.Update({ in: 'Busy' })) }),
  ],
  [
    'Ticket.total: is decorated with @Update or @Query twice',
    (w) => ({ total: both(w.Query(), w.Update({ in: 'Busy' })) }),
  ],
  [
    'Ticket.item: item and update shut do not commute in Open',
    (w) => ({
      item: w.On(Item, { in: 'Open', item: () => 0 }),
      shut: w.Update({ in: 'Open', to: 'Closed' }),
    }),
  ],
])('refuses: %s', (problem, members) => {
  expect(problemsOf(withMembers(members))).toContainEqual(expect.stringContaining(problem));
});

describe('the fingerprint', () => {
  const hashOf = (members: (w: Asking) => Record<string, Member>) =>
    fingerprint(definitionOf(withMembers(members))).hash;
  const standard = fingerprint(definitionOf(ticket())).hash;

  it('stays with queries and the status: nothing that is kept depends on them', () => {
    expect(hashOf((w) => ({ total: w.Query(), status: w.Status() }))).toBe(standard);
  });

  it('changes with updates, their states and their input, not with their order', () => {
    const change = (options: object) => hashOf((w) => ({ change: w.Update(options) }));
    const hashes = [
      standard,
      change({ in: 'Open' }),
      change({ in: 'Busy' }),
      change({ in: ['Open', 'Busy'] }),
      change({ in: 'Open', input: Item }),
      hashOf((w) => ({ shut: w.Update({ in: 'Busy', to: 'Closed' }), done: null })),
      hashOf((w) => ({ shut: w.Update({ in: 'Busy', to: 'Closed', undo: true }), done: null })),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    const [one, two] = [
      hashOf((w) => ({ a: w.Update({ in: 'Open' }), b: w.Update({ in: 'Busy' }) })),
      hashOf((w) => ({ b: w.Update({ in: 'Busy' }), a: w.Update({ in: 'Open' }) })),
    ];
    expect(one).toBe(two);
  });
});
