import {
  Done,
  type Member,
  problemsOf,
  ticket,
  type Untyped,
} from '../../../../../test/machine/ticket-workflow.js';
import { edgesOf } from '../../machine/reachability.js';
import { definitionOf } from '../verify.js';

type Case = [problem: string, members: (w: Untyped) => Record<string, Member>];

const cases: Case[] = [
  [
    'Ticket.overdue: leads to Busy, but may pass in Busy too, and runs move to later states only; name Busy behind every state that is not final',
    (w) => ({ overdue: w.Deadline({ after: '1h', to: 'Busy' }) }),
  ],
  ['Ticket.overdue: there is no state Gone', (w) => ({ overdue: w.Deadline({ after: '1h', to: 'Gone' }) })],
  [
    'Ticket.overdue: undoes the run and leads to Busy, which is not final',
    (w) => ({ overdue: w.Timeout({ in: 'Open', after: '1h', to: 'Busy', undo: true }) }),
  ],
  [
    'Ticket.done: undoes the run and leads to Busy, which is not final',
    (w) => ({ done: w.On(Done, { in: 'Open', to: 'Busy', undo: true }) }),
  ],
  [
    "Ticket.overdue: needs either `after` (a duration like '30m') or `at`",
    (w) => ({ overdue: w.Deadline({ to: 'Closed' }) }),
  ],
  [
    'Ticket.overdue: needs either `to` (the run moves on) or `attention`',
    (w) => ({ overdue: w.Deadline({ after: '1h' }) }),
  ],
  [
    'Ticket.remind: never begins: its deadline, which counts from before its delay, is not longer than that',
    (w) => ({ remind: w.Step({ in: 'Busy', delay: '1h', deadline: '1h' }) }),
  ],
];

it.each(cases)('reports %s', (problem, members) => {
  expect(problemsOf(ticket(members))).toContainEqual(expect.stringContaining(problem));
});

it('says it once for a deadline that ranks too low, not for each state', () => {
  const instance = ticket((w) => ({ overdue: w.Deadline({ after: '1h', to: 'Open' }) }));
  expect(problemsOf(instance).filter((problem) => problem.includes('overdue'))).toHaveLength(1);
});

it('a deadline of the run is a way out of every state that is not final', () => {
  const instance = ticket((w) => ({
    done: w.On(Done, { in: 'Busy' }),
    overdue: w.Deadline({ after: '1h', to: 'Closed' }),
  }));
  expect(problemsOf(instance)).toEqual([]);
  const ofDeadline = edgesOf(definitionOf(instance)).filter(({ by }) => by === 'overdue');
  expect(ofDeadline).toEqual([
    { from: 'Open', to: 'Closed', by: 'overdue' },
    { from: 'Busy', to: 'Closed', by: 'overdue' },
  ]);
});
