import { exploreModel } from './explore-model.js';
import type { Model } from './model.js';
import { printExploration } from './print-exploration.js';

/** Two clerks add one to a shared number; each reads, then writes what it has read plus one. */
interface Office {
  readonly total: number;
  readonly clerks: readonly Clerk[];
}
interface Clerk {
  readonly read?: number;
  readonly done?: true;
}
type Turn = { readonly clerk: number };

function office({ together }: { together: boolean }): Model<Office, Turn> {
  const clerkAfter = (clerk: Clerk, total: number): Clerk =>
    clerk.read === undefined && !together ? { read: total } : { done: true };
  return {
    initial: { total: 0, clerks: [{}, {}] },
    actions: ({ clerks }) => clerks.flatMap(({ done }, clerk) => (done ? [] : [{ clerk }])),
    apply: ({ total, clerks }, { clerk }) => {
      const { read } = clerks[clerk] as Clerk;
      const after = clerkAfter(clerks[clerk] as Clerk, total);
      return {
        total: after.done ? (read ?? total) + 1 : total,
        clerks: clerks.map((each, n) => (n === clerk ? after : each)),
      };
    },
    key: (state) => JSON.stringify([state.total, state.clerks.map((each) => JSON.stringify(each)).sort()]),
    describe: ({ clerk }, { clerks }) =>
      `clerk ${clerk + 1} ${clerks[clerk]?.read === undefined && !together ? 'reads' : 'writes'}`,
    invariants: {
      'nothing is lost': ({ total, clerks }) =>
        clerks.every(({ done }) => done) && total < 2 ? `the total is ${total}` : undefined,
    },
  };
}

/** A walker on a ring, which a fault may throw back to the beginning; `home` is where it rests. */
function walker({ length, home }: { length: number; home: number }): Model<number, 'step' | 'fall'> {
  return {
    initial: 0,
    actions: () => ['step', 'fall'],
    apply: (at, action) => (action === 'fall' ? 0 : (at + 1) % length),
    key: String,
    describe: (action) => action,
    invariants: {},
    eventually: {
      next: (at) => (at === home ? undefined : 'step'),
      atRest: { 'is at home': (at) => (at === 3 ? undefined : `it is at ${at}`) },
    },
  };
}

it('visits every state of a model in which nothing is wrong', () => {
  expect(exploreModel(office({ together: true }))).toEqual({
    outcome: 'complete',
    states: 3,
    transitions: 3,
    depth: 2,
  });
});

it('finds the shortest interleaving that breaks an invariant, and tells it', () => {
  const exploration = exploreModel(office({ together: false }));
  expect(printExploration(exploration).split('\n').slice(1)).toEqual([
    '   1. clerk 1 reads',
    '   2. clerk 2 reads',
    '   3. clerk 1 writes',
    '   4. clerk 2 writes',
  ]);
  expect(exploration).toMatchObject({
    outcome: 'violated',
    invariant: 'nothing is lost',
    problem: 'the total is 1',
  });
});

it('a good end is reached from every state', () => {
  expect(exploreModel(walker({ length: 5, home: 3 }))).toMatchObject({ outcome: 'complete', states: 5 });
});

it('a machine that rests where it must not is found, with what happened without faults', () => {
  expect(exploreModel(walker({ length: 5, home: 2 }))).toMatchObject({
    outcome: 'violated',
    invariant: 'is at home',
    problem: 'it is at 2',
    steps: [],
    thenWithoutFaults: ['step', 'step'],
  });
});

it('a good end is demanded after a last fault too', () => {
  const next = (at: number): 'step' | undefined => (at === 3 || at === 7 ? undefined : 'step');
  const model = (worse: number) => ({
    ...walker({ length: 5, home: 3 }),
    eventually: {
      next,
      atRest: { 'is at home': (at: number) => (at === 3 ? undefined : `it is at ${at}`) },
      worse: (at: number) => (at === 1 ? { state: worse, told: 'a leap' } : undefined),
    },
  });
  expect(exploreModel(model(2))).toMatchObject({ outcome: 'complete', states: 5 });
  expect(exploreModel(model(7))).toMatchObject({
    invariant: 'is at home',
    steps: ['step'],
    thenWithoutFaults: ['a leap'],
  });
});

it('a machine that never rests is found', () => {
  const exploration = exploreModel(walker({ length: 3, home: 99 }));
  expect(exploration).toMatchObject({ outcome: 'violated', invariant: 'comes to rest' });
  expect(printExploration(exploration)).toContain(
    'then, without faults:\n   1. step\n   2. step\n   3. step',
  );
});

it('a machine that runs on through ever new states is found too', () => {
  const endless = { ...walker({ length: Number.MAX_SAFE_INTEGER, home: -1 }), actions: () => [] };
  expect(exploreModel(endless, { restMax: 20 })).toMatchObject({
    outcome: 'violated',
    invariant: 'comes to rest',
  });
});

it('an invariant is checked on the way to the rest too', () => {
  const model = { ...walker({ length: 5, home: 3 }), actions: () => [] };
  const invariants = { 'keeps off two': (at: number) => (at === 2 ? 'it is at two' : undefined) };
  expect(exploreModel({ ...model, invariants })).toMatchObject({
    invariant: 'keeps off two',
    thenWithoutFaults: ['step', 'step'],
  });
});

it('says that it was cut off, and how far it came', () => {
  const model = walker({ length: 50, home: 3 });
  const progress: number[] = [];
  expect(exploreModel(model, { statesMax: 7 })).toMatchObject({ outcome: 'bounded', states: 7 });
  expect(exploreModel(model, { depthMax: 4 })).toMatchObject({ outcome: 'bounded', states: 5, depth: 4 });
  const long = { ...walker({ length: 20_000, home: 3 }) };
  exploreModel(long, { restMax: 30_000, onProgress: ({ states }) => progress.push(states) });
  expect(progress).toEqual([10_000, 20_000]);
});
