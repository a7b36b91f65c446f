import { MessageType } from '@pawl/messaging';
import { definitionOf, workflow } from '@pawl/workflow';
import { assertConverges } from './assert-converges.js';
import { explore } from './explore.js';

@MessageType({ name: 'basket.opened', version: 1 })
class Opened {}

@MessageType({ name: 'basket.noted', version: 1 })
class Noted {
  constructor(
    readonly ref: string,
    readonly text: string,
  ) {}
}

@MessageType({ name: 'basket.closed', version: 1 })
class Closed {
  constructor(readonly notes: number) {}
}

interface Basket {
  notes: string[];
  byRef: Record<string, string>;
  newest?: string;
}

const EVENTS = [new Opened(), new Noted('a', 'tea'), new Noted('b', 'milk'), new Closed(2)];

/** Opened, noted, closed, done; `fold` is what a note does to the data. */
function basket(
  fold: (data: Basket, event: Noted) => void,
  { guarded = true } = {},
): abstract new () => object {
  const w = workflow<Basket>()('basket', {
    version: 1,
    states: ['Open', 'Closed', 'Done'],
    final: ['Done'],
  });
  const when = { when: (data: Basket, event: Closed) => Object.keys(data.byRef).length >= event.notes };
  @w.Workflow()
  class BasketWorkflow {
    constructor() {
      throw new Error('The constructor is not called');
    }
    @w.On(Opened, { start: true, to: 'Open' })
    opened(data: Basket) {
      data.notes = [];
      data.byRef = {};
    }
    @w.On(Noted, { in: 'Open', key: (event) => event.ref })
    noted(data: Basket, event: Noted) {
      data.byRef[event.ref] = event.text;
      fold(data, event);
    }
    @w.On(Closed, { in: 'Open', to: 'Closed', ...(guarded ? when : { when: () => true }) })
    closed() {}
    @w.Step({ in: 'Closed', to: 'Done' })
    async finish() {}
  }
  return BasketWorkflow;
}

describe('a workflow that does not care for the order', () => {
  it('converges, whatever comes first, twice, or between two steps', () => {
    const found = assertConverges(
      basket(() => undefined),
      EVENTS,
    );
    expect(found).toMatchObject({ outcome: 'converges', ends: ['Done, completed'], randomRuns: 0 });
    expect(found.report).toMatch(
      /^Every order of 4 events, each up to 2 times, ends in Done, completed \(\d+ positions\)\.$/,
    );
  });

  it('is tried at random where there are too many orders', () => {
    const found = explore(
      basket(() => undefined),
      EVENTS,
      { statesMax: 10, runs: 20, seed: 7 },
    );
    expect(found).toMatchObject({ outcome: 'bounded', states: 10, randomRuns: 20 });
    expect(found.report).toContain('20 random orders (seed 7)');
  });
});

describe('a reducer that depends on the order', () => {
  const pushes = basket((data, event) => data.notes.push(event.text));

  it('is found, with the shortest courses that end differently', () => {
    const { outcome, counterexample, report } = explore(pushes, EVENTS);
    expect(outcome).toBe('diverges');
    expect(counterexample?.steps).toHaveLength(3);
    expect(report).toBe(`The same events end differently in two orders.
One:
  1. Opened arrives: applied, started, the run is in Open
  2. Noted { ref: 'a', text: 'tea' } arrives: applied, accepted
  3. Noted { ref: 'b', text: 'milk' } arrives: applied, accepted
The other:
  1. Opened arrives: applied, started, the run is in Open
  2. Noted { ref: 'b', text: 'milk' } arrives: applied, accepted
  3. Noted { ref: 'a', text: 'tea' } arrives: applied, accepted
Then these differ:
  data.notes[0]: "tea" or "milk"
  data.notes[1]: "milk" or "tea"`);
  });

  it.each([1, 2, 3, 4])('is found at random too, and told as shortly: seed %i', (seed) => {
    const { counterexample, randomRuns } = explore(pushes, EVENTS, { statesMax: 1, seed });
    expect(randomRuns).toBeGreaterThan(0);
    expect(counterexample?.steps).toEqual([
      'Opened arrives: applied, started, the run is in Open',
      `Noted { ref: 'b', text: 'milk' } arrives: applied, accepted`,
      `Noted { ref: 'a', text: 'tea' } arrives: applied, accepted`,
    ]);
  });

  it('fails the test that asserts it', () => {
    expect(() => assertConverges(pushes, EVENTS)).toThrow('data.notes[0]: "tea" or "milk"');
  });

  it('may be declared not to matter', () => {
    const compare = ({ data, ...end }: { data: unknown }) => ({ ...end, byRef: (data as Basket).byRef });
    expect(explore(pushes, EVENTS, { compare })).toMatchObject({ outcome: 'converges' });
  });
});

it('a copy is taken where the first one was refused, and that is seen', () => {
  const touchy = basket((data, event) => {
    if (event.ref === 'a' && data.byRef['b'] === undefined) throw new Error('too soon');
  });
  const events = EVENTS.slice(0, 3);
  const invariants = {
    'refused for good': ({ rejected, data }: { rejected: readonly string[]; data: unknown }) =>
      rejected.length === 0 || (data as Basket).byRef['a'] === undefined,
  };
  const compare = () => 'anything';
  expect(explore(touchy, events, { invariants, compare, copies: 1 })).toMatchObject({ outcome: 'converges' });
  expect(explore(touchy, events, { invariants, compare, copies: 2 }).counterexample?.steps).toEqual([
    'Opened arrives: applied, started, the run is in Open',
    `Noted { ref: 'a', text: 'tea' } arrives: rejected, handler-failed (noted threw: too soon)`,
    `Noted { ref: 'b', text: 'milk' } arrives: applied, accepted`,
    `Noted { ref: 'a', text: 'tea' } arrives again: applied, accepted`,
  ]);
});

it('the last one that writes is found', () => {
  const { report } = explore(
    basket((data, event) => void (data.newest = event.text)),
    EVENTS,
  );
  expect(report).toContain('data.newest: "milk" or "tea"');
});

it('a pair of which one leaves the state of the other is found, with what is lost', () => {
  const { report } = explore(
    basket(() => undefined, { guarded: false }),
    EVENTS,
  );
  expect(report).toContain(`Noted { ref: 'a', text: 'tea' } arrives: late, never-applied`);
  expect(report).toContain('lost[0]: nothing or');
});

it('is found where boot would have refused it', () => {
  const definition = definitionOf(Object.create(basket(() => undefined).prototype as object) as object);
  const handlers = definition.handlers.map(({ when: _when, ...handler }) => handler);
  expect(explore({ ...definition, handlers }, EVENTS)).toMatchObject({ outcome: 'diverges' });
});

describe('invariants', () => {
  const sound = basket(() => undefined);

  it('are asked about at every moment, and the way to a broken one is told', () => {
    const found = explore(sound, EVENTS, {
      invariants: {
        'two notes at least': ({ state, data }) =>
          state !== 'Done' || Object.keys((data as Basket).byRef).length > 2,
      },
    });
    expect(found.outcome).toBe('violated');
    expect(found.report.split('\n')[0]).toBe('"two notes at least" does not hold: it answered false');
    expect(found.counterexample?.steps.at(-1)).toBe('step finish is done, the run is in Done');
  });

  it('may throw, as an assertion does', () => {
    const invariants = {
      'is never closed': ({ state }: { state: string | null }) => expect(state).not.toBe('Closed'),
    };
    expect(explore(sound, EVENTS, { invariants })).toMatchObject({ outcome: 'violated' });
  });

  it('hold for runs that have lost an event, too', () => {
    const drops = [EVENTS[1] as object];
    expect(explore(sound, EVENTS, { drops })).toMatchObject({
      outcome: 'converges',
      ends: ['Done, completed', 'Open, waiting'],
    });
    const invariants = {
      'never waits': ({ waiting, state }: { waiting: readonly string[]; state: string | null }) =>
        state === null || waiting.length === 0 || 'it waits',
    };
    expect(explore(sound, EVENTS, { drops, invariants })).toMatchObject({ outcome: 'violated' });
  });
});

it('an effect that depends on the order is found, if it is said what it depends on', () => {
  const guests = { when: 'asked' };
  const eager = basket(() => undefined, { guarded: false });
  const compare = ({ outputs }: { outputs: unknown }) => outputs;
  expect(explore(eager, EVENTS, { compare, outputs: { finish: guests } })).toMatchObject({
    outcome: 'converges',
  });
  const outputs = { finish: (data: Basket) => Object.keys(data.byRef).length };
  const { report } = explore(eager, EVENTS, { compare, outputs });
  expect(report).toMatch(/finish: \d or \d/);
});

it('an event that the workflow does not know is refused', () => {
  class Strange {}
  MessageType({ name: 'strange', version: 1 })(Strange);
  expect(() =>
    explore(
      basket(() => undefined),
      [new Strange()],
    ),
  ).toThrow('no handler for strange (Strange)');
});
