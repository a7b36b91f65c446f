import {
  Done,
  type Member,
  problemsOf,
  ticket,
  type Untyped,
} from '../../../../../test/machine/ticket-workflow.js';

type Members = (w: Untyped) => Record<string, Member>;

const both =
  (first: Member, second: Member): Member =>
  (target, member) => {
    (first as (target: object, member: string) => void)(target, member);
    (second as (target: object, member: string) => void)(target, member);
  };
const external = { in: 'Busy', effect: 'external' };

const cases: [problem: string, members: Members][] = [
  [
    'Ticket.done: undoes a run that is in Busy, where pack, which can not be taken back, may be done',
    (w) => ({
      pack: w.Step({ in: 'Open', noReturn: true }),
      done: w.On(Done, { in: 'Busy', to: 'Closed', undo: true }),
    }),
  ],
  [
    'Ticket.late: undoes a run that is in Busy, where pack',
    (w) => ({
      pack: w.Step({ in: 'Open', noReturn: true }),
      late: w.Timeout({ in: 'Busy', after: '1d', to: 'Closed', undo: true }),
    }),
  ],
  [
    'Ticket.packed: asks about pack, which is transactional and never in doubt',
    (w) => ({ pack: w.Step({ in: 'Busy' }), packed: w.Confirm('pack') }),
  ],
  [
    'Ticket.packed: asks about pack, which is made at most once and never again',
    (w) => ({ pack: w.Step({ ...external, guarantee: 'at-most-once' }), packed: w.Confirm('pack') }),
  ],
  [
    'Ticket.unpack: would never run: pack can not be taken back',
    (w) => ({ pack: w.Step({ in: 'Busy', noReturn: true }), unpack: w.Compensate('pack') }),
  ],
  [
    'Ticket.unpack: undoes two steps',
    (w) => ({
      pack: w.Step({ in: 'Busy' }),
      wrap: w.Step({ in: 'Busy' }),
      unpack: both(w.Compensate('pack'), w.Compensate('wrap')),
    }),
  ],
  [
    'Ticket.wrap: undoes or confirms a step and is something else too',
    (w) => ({ pack: w.Step({ in: 'Busy' }), wrap: both(w.Compensate('pack'), w.Step({ in: 'Busy' })) }),
  ],
  [
    'Ticket.unpack: undoes a step and confirms one',
    (w) => ({ pack: w.Step(external), unpack: both(w.Compensate('pack'), w.Confirm('pack')) }),
  ],
  ['Ticket.unpack: there is no step pakc', (w) => ({ unpack: w.Compensate('pakc') })],
  [
    'Ticket.again: step pack has unpack for that already',
    (w) => ({ pack: w.Step({ in: 'Busy' }), unpack: w.Compensate('pack'), again: w.Compensate('pack') }),
  ],
];

it.each(cases)('reports %s', (problem, members) => {
  expect(problemsOf(ticket(members))).toContainEqual(expect.stringContaining(problem));
});

const fine: [what: string, members: Members][] = [
  [
    'an exit that undoes in the state of the step that can not be taken back',
    (w) => ({
      pack: w.Step({ in: 'Busy', noReturn: true }),
      done: w.On(Done, { in: 'Busy', to: 'Closed', undo: true }),
    }),
  ],
  [
    'a deadline that undoes, wherever the run is by then',
    (w) => ({
      pack: w.Step({ in: 'Open', noReturn: true }),
      late: w.Deadline({ after: '9d', to: 'Closed', undo: true }),
    }),
  ],
  [
    'an exit that undoes where nothing can be undone, or not all',
    (w) => ({ pack: w.Step(external), done: w.On(Done, { in: 'Busy', to: 'Closed', undo: true }) }),
  ],
  [
    'an external compensation of a transactional step, and the other way round',
    (w) => ({
      pack: w.Step({ in: 'Busy' }),
      unpack: w.Compensate('pack', { effect: 'external' }),
      send: w.Step(external),
      recall: w.Compensate('send', { effect: 'transactional' }),
    }),
  ],
];

it.each(fine)('accepts %s', (_, members) => {
  expect(problemsOf(ticket(members))).toEqual([]);
});
