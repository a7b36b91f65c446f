import { type Decorator, Done, ticket, type Untyped } from '../../../../test/machine/ticket-workflow.js';
import { definitionOf } from '../definition/verify.js';
import type { Definition } from '../model/definition.js';
import type { Run } from '../model/run.js';
import { type StepRecord, stepRecord } from '../model/step-record.js';
import { awaitedRun } from './awaited-run.js';
import { type Migrated, type MigrationFacts, migrateRun } from './migrate-run.js';

type Migrating = Untyped & Record<'Compensate' | 'Migrate', (...options: unknown[]) => Decorator>;

const act = async () => undefined;
const migrations: ((run: never) => unknown)[] = [];

/** Version 2 of the ticket: `work` and `check` in Busy, `work` can be undone, `check` not be taken back, and a migration by the given method. */
function version2(): Definition {
  return definitionOf(
    ticket(
      (given) => {
        const w = given as Migrating;
        return {
          work: [w.Step({ in: 'Busy' }), act],
          unwork: [w.Compensate('work'), act],
          check: [w.Step({ in: 'Busy', noReturn: true }), act],
          done: w.On(Done, { in: 'Busy', to: 'Closed' }),
          upgrade: [w.Migrate({ from: 1 }), (run: never) => migrations.at(-1)?.(run)],
        };
      },
      { version: 2 },
    ),
  );
}

const definition = version2();
const busy: Run = {
  ...awaitedRun({ id: 'id', workflow: 'ticket', key: 'T-1' }),
  version: 1,
  status: 'waiting',
  state: 'Busy',
  data: { n: 1 },
  revision: 3,
};

function migrated(facts: Partial<MigrationFacts> = {}, method = (run: never): unknown => run): Migrated {
  migrations.push(method);
  const [migration] = definition.migrations;
  return migrateRun(definition, migration as NonNullable<typeof migration>, {
    run: busy,
    records: [],
    held: false,
    compensable: new Set(),
    ...facts,
  });
}

const step = (name: string, status: StepRecord['status'], more: Partial<StepRecord> = {}) =>
  stepRecord({ name, status, ...more });

it('gives the run the new version, state and data, one revision more, and an entry in the journal', () => {
  expect(
    migrated({}, ({ state, data }: { state: string; data: object }) => ({ state, data: { ...data, m: 2 } })),
  ).toMatchObject({
    kind: 'moves',
    run: { version: 2, state: 'Busy', data: { n: 1, m: 2 }, revision: 4, marks: {}, key: 'T-1' },
    entry: {
      kind: 'control',
      name: 'migrate',
      revision: 4,
      fromState: 'Busy',
      toState: 'Busy',
      detail: 'from version 1 to 2',
    },
  });
  expect(busy).toMatchObject({ version: 1, data: { n: 1 }, revision: 3 });
});

it('does not let the method change the run that it is given', () => {
  const meddle = (run: { state: string; data: { n: number } }) => {
    run.data.n = 9;
    throw new Error('changed my mind');
  };
  expect(migrated({}, meddle)).toMatchObject({
    rule: 'migration-failed',
    detail: 'upgrade threw: changed my mind',
  });
  expect(busy.data).toEqual({ n: 1 });
});

it.each<[string, StepRecord[], Run['status']]>([
  ['runs if the new version has steps that are not done', [step('work', 'done')], 'running'],
  [
    'waits if all of them are, also under a version that had other ones',
    [step('work', 'done'), step('check', 'skipped'), step('old', 'done')],
    'waiting',
  ],
  ['is quiet where the state has none', [], 'waiting'],
])('%s', (what, records, status) => {
  const to = what.startsWith('is quiet') ? 'Open' : 'Busy';
  const answer = migrated({ records, run: { ...busy, status: 'running' } }, ({ data }: { data: object }) => ({
    state: to,
    data,
  }));
  expect(answer).toMatchObject({ run: { status } });
});

it('stays paused or failed', () => {
  expect(migrated({ run: { ...busy, status: 'paused' } })).toMatchObject({ run: { status: 'paused' } });
  const records = [step('work', 'failed')];
  expect(migrated({ run: { ...busy, status: 'failed' }, records })).toMatchObject({
    run: { status: 'failed' },
  });
});

it.each<[string, Partial<MigrationFacts>, string]>([
  ['that a worker holds', { held: true }, 'held'],
  [
    'that is undone',
    { run: { ...busy, status: 'compensating', undo: { scope: 'all', to: 'cancelled' } } },
    'undoing',
  ],
  [
    'that was paused while it was undone',
    { run: { ...busy, status: 'paused', undo: { scope: 'all', to: 'cancelled' } } },
    'undoing',
  ],
  ['with a step that was begun', { records: [step('work', 'intent')] }, 'step-open'],
  ['with a step that waits for its next attempt', { records: [step('work', 'retrying')] }, 'step-open'],
  ['with a step in doubt', { records: [step('work', 'in_doubt', { inDoubt: true })] }, 'step-open'],
  ['with a step over items', { records: [step('work', 'open', { itemsTotal: 3 })] }, 'step-open'],
  [
    'with a failed step that is not there any more',
    { run: { ...busy, status: 'failed' }, records: [step('old', 'failed')] },
    'failed-step-unknown',
  ],
  [
    'that could not be undone any more',
    { records: [step('old', 'done')], compensable: new Set(['old']) },
    'compensation-unknown',
  ],
  [
    'whose step in doubt could not be undone any more',
    {
      run: { ...busy, status: 'failed' },
      records: [step('check', 'failed', { inDoubt: true })],
      compensable: new Set(['check']),
    },
    'compensation-unknown',
  ],
  [
    'that would not be past the point of no return any more',
    { run: { ...busy, noReturn: true }, records: [step('old', 'done'), step('work', 'done')] },
    'no-return-unknown',
  ],
  [
    'of which a step is being undone that it has left',
    {
      records: [step('work', 'retrying', { abandoned: true, inDoubt: true })],
      compensable: new Set(['work']),
    },
    'undoing',
  ],
])('leaves a run %s', (_what, facts, rule) => {
  expect(migrated(facts)).toMatchObject({ kind: 'stays', rule, detail: expect.any(String) as string });
});

it('moves a run whose effects the new version can undo, and one that is never undone', () => {
  const compensable = new Set(['work', 'old']);
  expect(migrated({ records: [step('work', 'done')], compensable }).kind).toBe('moves');
  expect(migrated({ records: [step('old', 'skipped')], compensable }).kind).toBe('moves');
  const run = { ...busy, noReturn: true };
  const records = [step('old', 'done'), step('check', 'done')];
  expect(migrated({ run, records, compensable }).kind).toBe('moves');
});

it.each<[string, unknown, string]>([
  ['a state that is not there', { state: 'Lost', data: {} }, 'state-unknown'],
  ['nothing', undefined, 'state-unknown'],
  ['a final state', { state: 'Closed', data: {} }, 'state-final'],
  ['no data', { state: 'Busy' }, 'migration-failed'],
  ['data that can not be stored', { state: 'Busy', data: { text: '\u0000' } }, 'migration-failed'],
  ['a promise', Promise.resolve({ state: 'Busy', data: {} }), 'migration-failed'],
])('leaves a run whose migration answers %s', (_what, answer, rule) => {
  expect(migrated({}, () => answer)).toMatchObject({ kind: 'stays', rule });
});
