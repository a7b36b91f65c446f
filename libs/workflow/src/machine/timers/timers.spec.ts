import { MessageType } from '@pawl/messaging';
import { delivery, MemoryRun } from '../../../../../test/machine/memory-run.js';
import { definitionOf } from '../../definition/verify.js';
import { workflow } from '../../definition/workflow.js';
import type { DueTimer } from '../../model/event.js';
import { advance, type Input } from '../advance.js';
import { timersAfter } from './timers.js';

@MessageType({ name: 'loan.lent', version: 1 })
class Lent {
  constructor(readonly dueAt?: string | number) {}
}

@MessageType({ name: 'loan.extended', version: 1 })
class Extended {
  constructor(readonly dueAt?: string | number) {}
}

@MessageType({ name: 'loan.reported', version: 1 })
class Reported {}

@MessageType({ name: 'loan.returned', version: 1 })
class Returned {}

interface Loan {
  dueAt?: string | number;
}

const loan = workflow<Loan>()('loan', {
  version: 1,
  states: ['Lent', 'Missing', 'Returned', 'Lost'],
  final: ['Returned', 'Lost'],
});

@loan.Workflow()
class LoanWorkflow {
  @loan.On(Lent, { start: true, to: 'Lent' })
  lent(data: Loan, { dueAt }: Lent): void {
    if (dueAt !== undefined) data.dueAt = dueAt;
  }

  @loan.On(Extended, { in: ['Lent', 'Missing'], key: ({ dueAt }) => `to ${dueAt}`, competes: true })
  extended(data: Loan, { dueAt }: Extended): void {
    if (dueAt === undefined) delete data.dueAt;
    else data.dueAt = dueAt;
  }

  @loan.On(Reported, { in: 'Lent', to: 'Missing', competes: true })
  reported(): void {}

  @loan.On(Returned, { in: ['Lent', 'Missing'], to: 'Returned', competes: true })
  returned(): void {}

  @loan.Timeout({ in: 'Lent', at: ({ dueAt }) => dueAt, to: 'Missing' })
  overdue(): void {}

  @loan.Timeout({ in: 'Missing', after: '30d', attention: 'nobody has found it' })
  searched(): void {}

  @loan.Deadline({ after: '365d', to: 'Lost' })
  writtenOff(): void {}

  @loan.Deadline({
    at: ({ dueAt }) => (dueAt === 'never' ? fail('who lends for ever?') : dueAt),
    attention: 'due',
  })
  reminded(): void {}
}

function fail(why: string): never {
  throw new Error(why);
}

const definition = definitionOf(new LoanWorkflow());
const day = (n: number) => new Date(Date.UTC(2026, 0, n));
const on = (n: number, event: object) => delivery(event, { receivedAt: day(n) });

function lent(dueAt?: string | number): MemoryRun {
  const memory = new MemoryRun(definition);
  memory.receive(on(1, new Lent(dueAt)));
  return memory;
}

const change = (memory: MemoryRun, ...inputs: Input[]) =>
  advance(definition, memory.run, { inputs, parked: [], known: () => undefined });

const timer = (member: string, n: number, state = 'Lent'): DueTimer => ({
  member,
  state,
  round: 0,
  fireAt: day(n),
});

it('a run starts with the timers of its first state and its deadlines', () => {
  const { timers } = change(new MemoryRun(definition), on(1, new Lent(day(5).toISOString())));
  expect(timers).toEqual({
    keep: 'all',
    cancel: [],
    start: [
      { member: 'overdue', state: 'Lent', atMs: day(5).getTime() },
      { member: 'writtenOff', state: '*', afterMs: 365 * 86_400_000 },
      { member: 'reminded', state: '*', atMs: day(5).getTime() },
    ],
  });
});

it('a move stops the timers of the state that was left, and deadlines go on', () => {
  const { timers } = change(lent(day(5).getTime()), on(2, new Reported()));
  expect(timers).toMatchObject({ keep: 'deadlines', cancel: [], start: [{ member: 'searched' }] });
  expect(timers.start).toHaveLength(1);
});

it('the end of a run stops all', () => {
  expect(change(lent(), on(2, new Returned())).timers).toEqual({ keep: 'none', cancel: [], start: [] });
});

it('a step that moves the run starts timers as an event does', () => {
  const { run: before } = lent();
  expect(timersAfter(definition, before, { ...before, state: 'Missing' })).toMatchObject({
    keep: 'deadlines',
    start: [{ member: 'searched', afterMs: 30 * 86_400_000 }],
  });
});

describe('an instant that the data says', () => {
  it('may be unknown at first: the timer starts with the event that says it', () => {
    const memory = lent();
    expect(memory.run.attention).toBeNull();
    const { timers } = change(memory, on(2, new Extended(day(9).toISOString())));
    expect(timers.start).toMatchObject([
      { member: 'overdue', atMs: day(9).getTime() },
      { member: 'reminded', atMs: day(9).getTime() },
    ]);
  });

  it('takes its timer along when it changes, and is left alone when it does not', () => {
    const memory = lent(day(5).getTime());
    expect(change(memory, on(2, new Extended(day(9).getTime()))).timers).toMatchObject({
      keep: 'all',
      start: [
        { member: 'overdue', atMs: day(9).getTime() },
        { member: 'reminded', atMs: day(9).getTime() },
      ],
    });
    expect(change(memory, on(2, new Extended(day(5).toISOString()))).timers.start).toEqual([]);
  });

  it('stops its timer when there is none any more', () => {
    const { timers, run } = change(lent(day(5).getTime()), on(2, new Extended()));
    expect(timers).toMatchObject({
      start: [],
      cancel: [
        { member: 'overdue', state: 'Lent' },
        { member: 'reminded', state: '*' },
      ],
    });
    expect(run.attention).toBeNull();
  });

  it.each([
    ['throws', 'never', "handler-failed: reminded's at threw: who lends for ever?"],
    ['is no date', 'soon', 'handler-failed: overdue\'s at answered "soon", which is no Date, ISO text'],
    ['has no zone', '2026-01-05T10:00', "handler-failed: overdue's at answered"],
    ['is not a number', Number.NaN, undefined],
    ['is beyond all dates', 9e15, "handler-failed: overdue's at answered 9000000000000000"],
  ])('that %s asks for a person, and the run goes on without it', (_, dueAt, attention) => {
    const { timers, run, journal } = change(new MemoryRun(definition), on(1, new Lent(dueAt)));
    expect(run.state).toBe('Lent');
    expect(timers.start).toMatchObject([{ member: 'writtenOff' }]);
    // In `data`, NaN is null: that is no instant, and no mistake.
    if (attention === undefined) expect(run.attention).toBeNull();
    else expect(run.attention).toContain(dueAt === 'never' ? 'handler-failed' : attention);
    expect(journal.filter(({ kind }) => kind === 'timer')).toHaveLength(attention === undefined ? 0 : 2);
    expect(journal.at(-1)?.revision).toBe(run.revision);
  });

  it('asks for a person once, not with each change after it', () => {
    const memory = lent('soon');
    const { journal } = change(memory, on(2, new Extended('later')));
    expect(journal.filter(({ kind }) => kind === 'timer')).toEqual([]);
  });

  it('that is before all dates is past', () => {
    expect(change(new MemoryRun(definition), on(1, new Lent(-1))).timers.start[0]).toMatchObject({ atMs: 0 });
  });
});

describe('a timer that is due', () => {
  it('does not fire when an event that came in time has moved it, and starts again', () => {
    const memory = lent(day(5).getTime());
    const { run, timers, journal } = change(
      memory,
      timer('overdue', 5),
      on(4, new Extended(day(9).getTime())),
    );
    expect(run.state).toBe('Lent');
    expect(journal.map(({ name }) => name)).toEqual(['loan.extended']);
    expect(timers.start).toMatchObject([
      { member: 'overdue', atMs: day(9).getTime() },
      { member: 'reminded' },
    ]);
  });

  it('is not lost when its instant is moved back again behind it', () => {
    const { timers, run } = change(
      lent(day(5).getTime()),
      on(4, new Extended(day(9).getTime())),
      timer('overdue', 5),
      on(6, new Extended(day(5).toISOString())),
    );
    expect(run.state).toBe('Lent');
    expect(timers.start).toMatchObject([{ member: 'overdue', atMs: day(5).getTime() }]);
  });

  it('fires before an event that came after it would have moved it', () => {
    const { run, timers } = change(
      lent(day(5).getTime()),
      on(6, new Extended(day(9).getTime())),
      timer('overdue', 5),
    );
    expect(run.state).toBe('Missing');
    expect(timers.start).toMatchObject([{ member: 'searched' }, { member: 'reminded' }]);
  });
});

describe('a deadline of the run', () => {
  it.each(['Lent', 'Missing'])('beats an event that came after it, in %s', (state) => {
    const memory = lent();
    if (state === 'Missing') memory.receive(on(2, new Reported()));
    const { run, repeats, losses } = change(memory, on(9, new Returned()), timer('writtenOff', 8, '*'));
    expect(run).toMatchObject({ state: 'Lost', status: 'completed' });
    expect(repeats).toMatchObject([{ type: 'loan.returned', verdict: 'late', rule: 'never-applied' }]);
    expect(losses).toMatchObject([{ type: 'loan.returned' }]);
  });

  it('loses against an event of its very instant', () => {
    const { run } = change(lent(), timer('writtenOff', 8, '*'), on(8, new Returned()));
    expect(run.state).toBe('Returned');
  });

  it.each(['paused', 'failed'] as const)('does not pass while the run is %s', (status) => {
    const memory = lent();
    memory.run = { ...memory.run, status };
    expect(change(memory, timer('writtenOff', 8, '*')).run).toMatchObject({ state: 'Lent', status });
  });
});
