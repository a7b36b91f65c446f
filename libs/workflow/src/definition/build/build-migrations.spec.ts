import {
  type Decorator,
  problemsOf,
  ticket,
  type Untyped,
} from '../../../../../test/machine/ticket-workflow.js';
import { fingerprint } from '../fingerprint.js';
import { definitionOf } from '../verify.js';

type Migrating = Untyped & { Migrate(options: object): Decorator };
type Members = (w: Migrating) => Record<string, Decorator | readonly [Decorator, unknown]>;

const version3 = (members: Members) => ticket((w) => members(w as Migrating), { version: 3 });

it('binds the method to its instance, and hands it the run', () => {
  const { migrations } = definitionOf(
    version3((w) => ({
      fromFirst: [w.Migrate({ from: 1 }), (run: object) => ({ ...run, state: 'Busy' })],
      fromSecond: w.Migrate({ from: 2 }),
    })),
  );
  expect(migrations.map(({ member, from }) => [member, from])).toEqual([
    ['fromFirst', 1],
    ['fromSecond', 2],
  ]);
  expect(migrations[0]?.migrate({ state: 'Open', data: 1 })).toEqual({ state: 'Busy', data: 1 });
});

it.each<[string, Members, RegExp]>([
  [
    'its own version',
    (w) => ({ m: w.Migrate({ from: 3 }) }),
    /Ticket.m: migrates from version 3, which is none before 3/,
  ],
  ['a version that can not be', (w) => ({ m: w.Migrate({ from: 0 }) }), /m: migrates from version 0/],
  [
    'one version twice',
    (w) => ({ m: w.Migrate({ from: 1 }), n: w.Migrate({ from: 1 }) }),
    /n: migrates from version 1, as m does; remove one/,
  ],
  [
    'a method that is async',
    (w) => ({ m: [w.Migrate({ from: 1 }), async () => undefined] }),
    /m: is an AsyncFunction/,
  ],
])('refuses %s', (_what, members, problem) => {
  expect(problemsOf(version3(members))).toEqual([expect.stringMatching(problem)]);
});

it('may be added to a version that is run already', () => {
  const hashOf = (members: Members) => fingerprint(definitionOf(version3(members))).hash;
  expect(hashOf((w) => ({ m: w.Migrate({ from: 1 }) }))).toBe(hashOf(() => ({})));
});
