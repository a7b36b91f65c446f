import {
  Accepted,
  Item,
  items,
  type Member,
  problemsOf,
  Recounted,
  ticket,
  type Untyped,
  whenAllSeen,
} from '../../../../../test/machine/ticket-workflow.js';

describe('two events that do not commute (D16)', () => {
  const races = (members: (w: Untyped) => Record<string, Member>) =>
    problemsOf(ticket(members)).map((problem) => problem.split(' do not commute')[0]);

  it('are named when the one leaves the only state that accepts the other', () => {
    expect(races((w) => ({ item: w.On(Item, items) }))).toEqual([
      'Ticket.item: item and accepted (accepted)',
    ]);
  });

  it('are named in both directions when both leave', () => {
    expect(races((w) => ({ recounted: w.On(Recounted, { in: 'Open', to: 'Closed' }) }))).toEqual([
      'Ticket.recounted: recounted and accepted (accepted)',
      'Ticket.accepted: accepted and recounted (recounted)',
    ]);
  });

  it('are named for two items or keys of one type, the first of which leaves', () => {
    expect(races((w) => ({ accepted: w.On(Accepted, { ...items, to: 'Busy' }) }))).toEqual([
      'Ticket.accepted: accepted and accepted (accepted)',
    ]);
  });

  it('are named for a step that leaves', () => {
    expect(races((w) => ({ work: w.Step({ in: 'Busy', to: 'Closed' }) }))).toEqual([
      'Ticket.done: done and step work',
    ]);
  });

  it('are not repaired by a guard on the one that is late, or for other items', () => {
    expect(races((w) => ({ item: w.On(Item, { ...items, when: () => true }) }))).toHaveLength(1);
    const members = (w: Untyped) => ({
      item: w.On(Item, items),
      accepted: w.On(Accepted, { in: 'Open', to: 'Busy', ...whenAllSeen }),
      other: w.On(Recounted, { in: 'Open' }),
    });
    expect(races(members)).toEqual(['Ticket.other: recounted and accepted (accepted)']);
  });

  it.each<[string, (w: Untyped) => Record<string, Member>]>([
    [
      'is guarded by those items',
      (w) => ({
        item: w.On(Item, items),
        accepted: w.On(Accepted, { in: 'Open', to: 'Busy', ...whenAllSeen }),
      }),
    ],
    [
      'has a guard of its own',
      (w) => ({
        item: w.On(Item, items),
        accepted: w.On(Accepted, { in: 'Open', to: 'Busy', when: () => true }),
      }),
    ],
    [
      'leads to a state that accepts the other',
      (w) => ({ item: w.On(Item, { ...items, in: ['Open', 'Busy'], late: 'ignore' }) }),
    ],
    [
      'leads to where another handler accepts it',
      (w) => ({ item: w.On(Item, items), later: w.On(Item, { ...items, in: 'Busy', late: 'ignore' }) }),
    ],
    [
      'may win, and says so',
      (w) => ({
        item: w.On(Item, items),
        accepted: w.On(Accepted, { in: 'Open', to: 'Busy', competes: true }),
      }),
    ],
    ['meets one that may lose, and says so', (w) => ({ item: w.On(Item, { ...items, competes: true }) })],
    ['meets one whose lateness is ignored', (w) => ({ item: w.On(Item, { ...items, late: 'ignore' }) })],
  ])('are fine when the one that leaves %s', (_why, members) => {
    expect(races(members)).toEqual([]);
  });
});
