import { contentDigest } from '@pawl/core';
import { delivery, MemoryRun } from '../../../../test/machine/memory-run.js';
import { Announced, Delivered, ParcelWorkflow, Weighed } from '../../../../test/machine/parcel-workflow.js';
import { definitionOf } from '../definition/verify.js';
import type { StepDefinition } from '../model/definition.js';
import type { AnsweredUpdate, AskedUpdate, UpdateVerdict } from '../model/update.js';
import { advance, type Input } from './advance.js';

const definition = definitionOf(new ParcelWorkflow());
const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 12, minutes));

function runAfter(...payloads: object[]): MemoryRun {
  const run = new MemoryRun(definition);
  for (const payload of payloads) run.deliver(delivery(payload));
  return run;
}

function asked(member: string, input: unknown = null, overrides: Partial<AskedUpdate> = {}): AskedUpdate {
  const facts = { source: 'client', askedAt: at(10), earlier: undefined };
  return { id: 'u-1', member, input, digest: contentDigest(input), ...facts, ...overrides };
}

/** Takes the inputs at once; answers the verdict of the only update among them. */
function take(run: MemoryRun, ...inputs: Input[]): UpdateVerdict | undefined {
  return run.change(...inputs).updates[0];
}

const announced = new Announced('Ada');

describe('an update that is accepted', () => {
  it('changes data, and answers; the journal keeps its input and answer under its id', () => {
    const run = runAfter(announced);
    const verdict = take(run, asked('changeAddress', { to: 'Bob' }));
    expect(verdict).toEqual({ verdict: 'answered', answer: { from: 'Ada', addresses: 2 } });
    expect(run.data).toMatchObject({ to: 'Bob', addresses: 2 });
    expect(run.run).toMatchObject({ state: 'Announced', revision: 2 });
    expect(run.journal[1]).toMatchObject({
      revision: 2,
      kind: 'update',
      name: 'changeAddress',
      eventId: 'u-1',
      fromState: 'Announced',
      toState: 'Announced',
      payload: { input: { to: 'Bob' }, answer: { from: 'Ada', addresses: 2 } },
    });
  });

  it('moves the run, if it leads somewhere', () => {
    const run = runAfter(announced);
    const { updates, moved } = run.change(asked('withdraw'));
    expect(updates).toEqual([{ verdict: 'answered', answer: 'Ada waits in vain' }]);
    expect([moved, run.run.status, run.state]).toEqual([true, 'completed', 'Returned']);
  });

  it('undoes the run, if it says so, unless a step can not be taken back', () => {
    const updates = definition.updates.map((one) => ({ ...one, undo: true }));
    const step = {
      name: 'book',
      in: 'Announced',
      compensation: { name: 'unbook' },
    } as unknown as StepDefinition;
    const run = new MemoryRun({ ...definition, updates, steps: [step] });
    run.deliver(delivery(announced));
    const before = run.run;
    run.run = { ...before, noReturn: true };
    expect(take(run, asked('withdraw'))).toMatchObject({ verdict: 'refused', rule: 'past-no-return' });
    run.run = before;
    expect(take(run, asked('withdraw'))).toMatchObject({ verdict: 'answered' });
    expect(run.run).toMatchObject({ status: 'compensating', state: 'Returned', undo: { to: 'compensated' } });
  });

  it('may answer nothing', () => {
    expect(take(runAfter(announced), asked('insure', 500))).toEqual({
      verdict: 'answered',
      answer: undefined,
    });
  });

  it('lets parked events in', () => {
    const run = runAfter(announced, new Weighed(5_000));
    expect(run.run).toMatchObject({ state: 'Announced', parkedCount: 1 });
    take(run, asked('insure', 500));
    expect(run.run).toMatchObject({ state: 'OnTheWay', parkedCount: 0 });
  });

  it('is taken while the run is paused, and leaves it paused', () => {
    const run = runAfter(announced);
    run.run = { ...run.run, status: 'paused' };
    expect(take(run, asked('changeAddress', { to: 'Bob' }))).toMatchObject({ verdict: 'answered' });
    expect(run.run).toMatchObject({ status: 'paused', data: { to: 'Bob' } });
  });
});

describe('an update that is refused', () => {
  const delivered = [announced, new Weighed(1), new Delivered()];

  it.each<[string, object[], AskedUpdate, string]>([
    ['run-not-started', [], asked('withdraw'), 'not started'],
    ['run-ended', delivered, asked('changeAddress', { to: 'Bob' }), 'the run is completed'],
    ['unknown-update', [announced], asked('undecorated'), 'version 1 of parcel has no @Update undecorated'],
    ['unknown-update', [announced], asked('constructor'), 'has no @Update'],
    [
      'invalid-input',
      [announced],
      asked('changeAddress', { to: 'B' }),
      '/to must NOT have fewer than 2 characters',
    ],
    ['invalid-input', [announced], asked('changeAddress'), 'the payload must be object'],
    ['state-left', [announced, new Weighed(1)], asked('withdraw'), 'in OnTheWay, withdraw is for Announced'],
    ['declined', [announced], asked('changeAddress', { to: 'nowhere' }), 'we do not go there'],
    ['handler-failed', [announced], asked('insure', -1), 'insure threw: less than nothing'],
  ])('by %s leaves the run as it was', (rule, events, update, detail) => {
    const run = runAfter(...events);
    const before = JSON.stringify(run.run);
    expect(take(run, update)).toMatchObject({
      verdict: 'refused',
      rule,
      detail: expect.stringContaining(detail),
    });
    expect(JSON.stringify(run.run)).toBe(before);
    expect(run.journal.filter(({ kind }) => kind === 'update')).toEqual([]);
  });

  it('says whether it came too early', () => {
    const later = { ...definition, updates: definition.updates.map((one) => ({ ...one, in: ['OnTheWay'] })) };
    const run = new MemoryRun(later);
    run.deliver(delivery(announced));
    expect(take(run, asked('insure', 1))).toMatchObject({ rule: 'state-not-reached' });
  });

  it('by its method hands on what the method says', () => {
    const verdict = take(runAfter(announced), asked('changeAddress', { to: 'nowhere' }));
    expect(verdict).toMatchObject({ details: { zone: 9, reason: 'we do not go there' } });
  });

  it('of a failed run waits for a person', () => {
    const run = runAfter(announced);
    run.run = { ...run.run, status: 'failed' };
    expect(take(run, asked('insure', 1))).toMatchObject({ rule: 'run-failed' });
  });

  it.each([[new Promise(() => undefined)], [() => 1], [{ text: '\0' }], [Number.NaN]])(
    'because its answer can not be kept: %p',
    (answer) => {
      const updates = definition.updates.map((one) => ({ ...one, apply: () => answer }));
      const run = new MemoryRun({ ...definition, updates });
      run.deliver(delivery(announced));
      expect(take(run, asked('insure', 1))).toMatchObject({ rule: 'handler-failed' });
      expect(run.run.revision).toBe(1);
    },
  );
});

describe('an update that was made before', () => {
  const earlier: AnsweredUpdate = { member: 'insure', digest: contentDigest(5), answer: 'as then' };

  it('is answered as then, whatever has become of the run', () => {
    const run = runAfter(announced, new Weighed(1), new Delivered());
    const before = run.run;
    expect(take(run, asked('insure', 5, { earlier }))).toEqual({ verdict: 'answered', answer: 'as then' });
    expect(run.run).toEqual(before);
  });

  it.each([
    ['with other input', asked('insure', 6, { earlier })],
    ['for insure', asked('withdraw', 5, { earlier })],
  ])('is refused under the same id %s', (what, update) => {
    expect(take(runAfter(announced), update)).toMatchObject({
      rule: 'conflicting-input',
      detail: `the id u-1 was used before, ${what}`,
    });
  });
});

describe('an update and time', () => {
  const deadline = { member: 'notBrought', state: 'Announced', round: 0, fireAt: at(60) };

  it('is too late behind a deadline that is due', () => {
    const run = runAfter(announced);
    expect(take(run, asked('insure', 1, { askedAt: at(61) }), deadline)).toMatchObject({ rule: 'run-ended' });
    expect(run.state).toBe('Returned');
  });

  it('comes in time at the very instant', () => {
    const run = runAfter(announced);
    const earlier = delivery(new Weighed(1), { receivedAt: at(59) });
    const { updates } = run.change(deadline, asked('insure', 1, { askedAt: at(60) }), earlier);
    expect(updates).toMatchObject([{ rule: 'state-left' }]);
    expect(run.state).toBe('OnTheWay');
  });

  it('is made of the inputs in their order', () => {
    const run = runAfter(announced);
    const inputs = [
      asked('withdraw', null, { id: 'u-2', askedAt: at(3) }),
      asked('insure', 7, { askedAt: at(2) }),
    ];
    expect(run.change(...inputs).updates.map(({ verdict }) => verdict)).toEqual(['answered', 'answered']);
    expect(run.journal.slice(1).map(({ name }) => name)).toEqual(['insure', 'withdraw']);
  });

  it('is decided by the definition of the run only', () => {
    const { run } = runAfter(announced);
    const input = { inputs: [asked('insure', 1)], parked: [], known: () => undefined };
    expect(() => advance({ ...definition, version: 2 }, run, input)).toThrow('own definition');
  });
});
