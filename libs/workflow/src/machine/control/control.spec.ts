import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Bookings, JourneyWorkflow } from '../../../../../test/engine/journey.js';
import { verify } from '../../definition/verify.js';
import type { Run } from '../../model/run.js';
import { type StepRecord, stepRecord } from '../../model/step-record.js';
import { awaitedRun } from '../awaited-run.js';
import { control } from './control.js';
import type { ControlFacts, Controlled, ControlOrder } from './control-order.js';

const [definition] = verify([new JourneyWorkflow(new Bookings())]);
if (definition === undefined) throw new Error('The workflow is valid.');
const journey = definition;

const ACTIONS = ['cancel', 'terminate', 'pause', 'resume', 'redrive', 'skip'] as const;

interface Situation {
  readonly run: Partial<Run>;
  readonly records?: readonly StepRecord[];
  readonly quarantined?: boolean;
}

const flightDone = stepRecord({ name: 'flight', status: 'done', output: 'AB12', intendedMs: 1 });
const hotelFailed = stepRecord({ name: 'hotel', status: 'failed', attempts: 2, intendedMs: 2 });
const hotelInDoubt = stepRecord({ name: 'hotel', status: 'in_doubt', inDoubt: true, intendedMs: 2 });
const undoFailed = stepRecord({
  name: 'cancelFlight',
  kind: 'compensation',
  undoes: 'flight',
  status: 'failed',
});
const all = (to: 'compensated' | 'cancelled') => ({ scope: 'all', to }) as const;

/** Where a run can be when a person comes. */
const SITUATIONS: Readonly<Record<string, Situation>> = {
  awaited: { run: { status: 'awaited', state: null, version: null } },
  running: { run: { status: 'running' } },
  'running, quarantined': { run: { status: 'running' }, quarantined: true },
  waiting: { run: { status: 'waiting', state: 'Booked' }, records: [flightDone] },
  'waiting, past no return': { run: { status: 'waiting', state: 'Travelling', noReturn: true } },
  'waiting, a step in doubt': { run: { status: 'waiting' }, records: [flightDone, hotelInDoubt] },
  paused: { run: { status: 'paused' } },
  'paused while it was cancelled': { run: { status: 'paused', undo: all('cancelled') } },
  'compensating, cancelled': {
    run: { status: 'compensating', undo: all('cancelled') },
    records: [flightDone],
  },
  'compensating, after a failure': {
    run: { status: 'compensating', undo: all('compensated') },
    records: [flightDone],
  },
  completed: { run: { status: 'completed', state: 'Home' } },
  compensated: { run: { status: 'compensated', undo: all('compensated') } },
  cancelled: { run: { status: 'cancelled', undo: all('cancelled') } },
  terminated: { run: { status: 'terminated' } },
  failed: { run: { status: 'failed' }, records: [flightDone, hotelFailed] },
  'failed, past no return': {
    run: { status: 'failed', state: 'Travelling', noReturn: true },
    records: [stepRecord({ name: 'checkIn', status: 'failed', inDoubt: true })],
  },
  compensation_failed: {
    run: { status: 'compensation_failed', undo: all('cancelled') },
    records: [flightDone, undoFailed],
  },
};

function runOf({ run }: Situation): Run {
  const name = { id: '0195c0de-0000-7000-8000-000000000001', workflow: 'journey', key: 'A-1' };
  return { ...awaitedRun(name), version: 1, state: 'Booking', data: { to: 'Rome' }, revision: 7, ...run };
}

function ask(situation: Situation, order: ControlOrder): Controlled {
  const { records = [], quarantined = false } = situation;
  const facts: ControlFacts = { records, quarantined };
  return control(journey, runOf(situation), facts, { order, actor: 'ann', reason: 'she said so' });
}

function cellOf(controlled: Controlled): string {
  if (controlled.kind === 'changed') return controlled.run.status;
  return controlled.kind === 'refused' ? `\`${controlled.code}\`` : '(so already)';
}

function changed(situation: Situation, order: ControlOrder) {
  const controlled = ask(situation, order);
  if (controlled.kind !== 'changed') throw new Error(JSON.stringify(controlled));
  return controlled;
}

const refusal = (situation: Situation, order: ControlOrder) => {
  const controlled = ask(situation, order);
  return controlled.kind === 'refused' ? controlled.code : controlled.kind;
};

const PAGE = readFileSync(resolve(import.meta.dirname, '../../../../../docs/control.md'), 'utf8');

it('has an answer for every order in every situation, and the page says which', () => {
  const rows = Object.entries(SITUATIONS).map(([name, situation]) => [
    name,
    ...ACTIONS.map((action) => cellOf(ask(situation, { action }))),
  ]);
  const [, table = ''] = /<!-- orders -->\n([^]*?)<!-- end of orders -->/.exec(PAGE) ?? [];
  const printed = table
    .trim()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  expect(printed.filter((_, n) => n !== 1)).toEqual([['the run is', ...ACTIONS], ...rows]);
});

it('answers the same order a second time with: so already, or with a reason', () => {
  for (const situation of Object.values(SITUATIONS)) {
    for (const action of ACTIONS) {
      const first = ask(situation, { action });
      if (first.kind !== 'changed') continue;
      const orders = new Map(first.steps.map(({ record }) => [record.name, record]));
      const others = (situation.records ?? []).filter(({ name }) => !orders.has(name));
      const settled = [...orders.values()].map((record) => ({
        ...record,
        status: 'retrying' as const,
        attempts: 0,
      }));
      const again = ask({ run: first.run, records: [...others, ...settled] }, { action });
      expect(again.kind).not.toBe('changed');
    }
  }
});

it('journals an order under one revision, with who asked for it and why', () => {
  const { run, journal } = changed({ run: { status: 'waiting' } }, { action: 'pause' });
  expect(run.revision).toBe(8);
  expect(journal).toMatchObject([
    { revision: 8, kind: 'control', name: 'pause', detail: 'ann: she said so' },
  ]);
});

it('cancels at once what has nothing that could be undone', () => {
  const steps = journey.steps.filter(({ compensation }) => compensation === undefined);
  const facts = { records: [], quarantined: false };
  const order = { order: { action: 'cancel' }, actor: 'ann', reason: 'no' } as const;
  expect(control({ ...journey, steps }, runOf({ run: { status: 'running' } }), facts, order)).toMatchObject({
    run: { status: 'cancelled', undo: null },
  });
});

it('terminates and says what stays', () => {
  const records = [flightDone, undoFailed, hotelInDoubt];
  expect(changed({ run: { status: 'running' }, records }, { action: 'terminate' }).left).toEqual([
    { step: 'hotel', outcome: 'unknown', compensation: 'cancelHotel' },
    { step: 'flight', outcome: 'done', compensation: 'cancelFlight' },
  ]);
});

describe('resume', () => {
  const paused = { status: 'paused' } as const;

  it('waits where nothing is due', () => {
    expect(changed({ run: { ...paused, state: 'Booked' } }, { action: 'resume' }).run.status).toBe('waiting');
  });

  it('goes on undoing what was being undone', () => {
    expect(changed({ run: { ...paused, undo: all('cancelled') } }, { action: 'resume' })).toMatchObject({
      run: { status: 'compensating', undo: all('cancelled') },
      resumed: true,
    });
  });
});

describe('redrive', () => {
  const failed = { run: { status: 'failed' as const }, records: [flightDone, hotelFailed] };
  const doubtful = { ...failed, records: [flightDone, { ...hotelFailed, inDoubt: true }] };

  it('gives the step fresh attempts under its key, and clears what was said of it', () => {
    const attention = 'step hotel failed: full; sorry; conflicting-content: twice';
    const { run, steps } = changed({ ...failed, run: { ...failed.run, attention } }, { action: 'redrive' });
    expect(steps).toMatchObject([
      { kind: 'retry', record: { name: 'hotel', generation: 0 }, inDoubt: false },
    ]);
    expect(run).toMatchObject({ status: 'running', attention: 'conflicting-content: twice' });
  });

  it('with other data makes it anew under another key, and journals what it has changed', () => {
    const data = { to: null, via: { city: 'Pisa', night: null } };
    const { run, steps, journal } = changed(failed, { action: 'redrive', data });
    expect(steps).toMatchObject([{ kind: 'renew', record: { name: 'hotel' } }]);
    expect(run.data).toEqual({ via: { city: 'Pisa' } });
    expect(journal).toMatchObject([{ payload: { patch: data, before: { to: 'Rome', via: null } } }]);
  });

  it('does not so while an attempt may have taken effect, unless a person knows', () => {
    const data = { to: 'Pisa' };
    expect(refusal(doubtful, { action: 'redrive', data })).toBe('step_in_doubt');
    const { steps } = changed(doubtful, { action: 'redrive', data, assume: 'not-happened' });
    expect(steps).toMatchObject([{ kind: 'renew', inDoubt: false }]);
  });

  it('without other data keeps the doubt, so that it is asked about', () => {
    expect(changed(doubtful, { action: 'redrive' }).steps).toMatchObject([{ kind: 'retry', inDoubt: true }]);
    const { steps } = changed(doubtful, { action: 'redrive', assume: 'not-happened' });
    expect(steps).toMatchObject([{ kind: 'retry', inDoubt: false }]);
  });

  it('takes a step as done of which a person knows that it happened, and goes on behind it', () => {
    const order = { action: 'redrive', assume: 'happened', output: 'room 7' } as const;
    expect(changed(doubtful, order)).toMatchObject({
      run: { status: 'waiting', state: 'Booked' },
      moved: true,
      steps: [{ kind: 'settle', status: 'done', output: 'room 7' }],
      journal: [{ fromState: 'Booking', toState: 'Booked' }],
    });
    expect(refusal(doubtful, { ...order, data: {} })).toBe('data_invalid');
  });

  it('of one of two that have failed leaves the run failed', () => {
    const records = [{ ...hotelFailed, name: 'flight' }, hotelFailed];
    const { run, steps } = changed({ ...failed, records }, { action: 'redrive', step: 'flight' });
    expect([run.status, steps.length]).toEqual(['failed', 1]);
  });

  it.each([
    [{ step: 'nothing' }, 'step_unknown'],
    [{ step: 'flight' }, 'step_not_failed'],
    [{ step: 'checkIn' }, 'step_not_failed'],
    [{ data: [] }, 'data_invalid'],
    [{ data: { to: 'a\0b' } }, 'data_invalid'],
  ])('with %j is refused: %s', (terms, code) => {
    expect(refusal(failed, { action: 'redrive', ...terms })).toBe(code);
  });

  it('makes a lost step again if it is named, and as long as its state lasts', () => {
    const lost = stepRecord({ name: 'flight', status: 'lost', inDoubt: true });
    const waiting = { run: { status: 'waiting' as const }, records: [lost, hotelInDoubt] };
    expect(changed(waiting, { action: 'redrive', step: 'flight' })).toMatchObject({
      run: { status: 'running' },
      steps: [{ kind: 'renew', record: { name: 'flight' } }],
    });
    const gone = { run: { status: 'waiting' as const, state: 'Booked' }, records: [lost] };
    expect(refusal(gone, { action: 'redrive', step: 'flight' })).toBe('step_left_behind');
  });

  it.each(['compensating', 'compensation_failed'] as const)(
    'leaves a lost step to its compensation, in a run that is %s',
    (status) => {
      const lost = stepRecord({ name: 'flight', status: 'lost', inDoubt: true });
      const undone = { run: { status, undo: all('cancelled') }, records: [lost] };
      const order = { action: 'redrive', step: 'flight' } as const;
      expect(refusal(undone, order)).toBe('undo_under_way');
      expect(refusal(undone, { ...order, assume: 'not-happened' })).toBe('undo_under_way');
      expect(refusal(undone, { ...order, assume: 'happened' })).toBe('undo_under_way');
    },
  );

  it('tries a failed compensation again, with the data that it had', () => {
    const stuck = {
      run: { status: 'compensation_failed' as const, undo: all('cancelled') },
      records: [flightDone, undoFailed],
    };
    expect(changed(stuck, { action: 'redrive' })).toMatchObject({
      run: { status: 'compensating' },
      steps: [{ kind: 'retry', record: { name: 'cancelFlight' } }],
    });
    expect(refusal(stuck, { action: 'redrive', data: {} })).toBe('data_invalid');
  });

  it('gives a quarantined step the attempts back that have killed its process', () => {
    const dying = stepRecord({ name: 'flight', status: 'intent', attempts: 2, inDoubt: true });
    const poison = {
      run: { status: 'running' as const, attention: 'quarantined: 10 claims' },
      records: [dying],
    };
    expect(refusal(poison, { action: 'redrive' })).toBe('unchanged');
    expect(changed({ ...poison, quarantined: true }, { action: 'redrive' })).toMatchObject({
      run: { status: 'running', attention: null },
      steps: [{ kind: 'retry', record: { name: 'flight' }, inDoubt: true }],
    });
  });

  it('makes no item of a step again that is done, whatever the data', () => {
    const records = [{ ...hotelFailed, itemsTotal: 3 }];
    expect(refusal({ ...failed, records }, { action: 'redrive', data: {} })).toBe('data_invalid');
    expect(changed({ ...failed, records }, { action: 'redrive' }).steps).toHaveLength(1);
  });
});

describe('skip', () => {
  const failed = { run: { status: 'failed' as const }, records: [flightDone, hotelFailed] };

  it('goes on behind the step, with the output that the person gives', () => {
    expect(changed(failed, { action: 'skip', output: { room: 7 } })).toMatchObject({
      run: { status: 'waiting', state: 'Booked' },
      moved: true,
      steps: [{ kind: 'settle', status: 'skipped', output: { room: 7 } }],
    });
  });

  it('wants a name where several wait for a person', () => {
    const records = [{ ...hotelFailed, name: 'flight' }, hotelFailed];
    expect(refusal({ ...failed, records }, { action: 'skip' })).toBe('step_ambiguous');
    expect(changed({ ...failed, records }, { action: 'skip', step: 'flight' }).run.status).toBe('failed');
  });

  it('is so already where the step is skipped', () => {
    const records = [stepRecord({ name: 'flight', status: 'skipped' }), hotelFailed];
    expect(refusal({ ...failed, records }, { action: 'skip', step: 'flight' })).toBe('unchanged');
  });

  it('refuses an output that can not be kept', () => {
    expect(refusal(failed, { action: 'skip', output: '\0' })).toBe('output_invalid');
  });

  it('ends a compensation that has given up: the effect is the person’s', () => {
    const stuck = {
      run: { status: 'compensation_failed' as const, undo: all('cancelled') },
      records: [flightDone, undoFailed],
    };
    expect(changed(stuck, { action: 'skip' })).toMatchObject({
      run: { status: 'compensating' },
      steps: [{ record: { name: 'cancelFlight' }, status: 'skipped' }],
    });
  });
});
