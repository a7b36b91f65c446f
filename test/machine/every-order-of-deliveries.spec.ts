import { MessageType } from '@pawl/messaging';
import fc from 'fast-check';
import { definitionOf } from '../../libs/workflow/src/definition/verify.js';
import { workflow } from '../../libs/workflow/src/definition/workflow.js';
import type { Definition } from '../../libs/workflow/src/model/definition.js';
import { delivery, MemoryRun } from './memory-run.js';
import { ItemAdded, OrderAccepted, orderDefinition, OrderShipped, OrderSubmitted } from './order-workflow.js';

@MessageType({ name: 'account.opened', version: 1 })
class Opened {}

@MessageType({ name: 'account.posted', version: 1 })
class Posted {
  constructor(
    readonly ref: string,
    readonly cents: number,
  ) {}
}

@MessageType({ name: 'account.closed', version: 1 })
class Closed {
  constructor(readonly postings: number) {}
}

interface Account {
  cents: number;
  postings: number;
}

const account = workflow<Account>()('account', { version: 1, states: ['Open', 'Closed'], final: ['Closed'] });

@account.Workflow()
class AccountWorkflow {
  @account.On(Opened, { start: true, to: 'Open' })
  opened(data: Account) {
    data.cents = data.postings = 0;
  }

  @account.On(Posted, { in: 'Open', key: (e) => e.ref })
  posted(data: Account, event: Posted) {
    data.cents += event.cents;
    data.postings += 1;
  }

  @account.On(Closed, { in: 'Open', to: 'Closed', when: (data, e) => data.postings === e.postings })
  closed() {}
}

/** A delivery, several in one transaction, or a turn of the worker. */
type Turn = readonly object[] | 'step';

const orderEvents = (items: number): object[] => [
  new OrderSubmitted('Ada'),
  ...Array.from({ length: items }, (_, n) => new ItemAdded(n, `sku-${n}`)),
  new OrderAccepted(items),
  new OrderShipped('track-1'),
];

const accountEvents = (postings: number): object[] => [
  new Opened(),
  ...Array.from({ length: postings }, (_, n) => new Posted(`ref-${n}`, 10 ** n)),
  new Closed(postings),
];

function play(definition: Definition, turns: Iterable<Turn>): MemoryRun {
  const run = new MemoryRun(definition);
  for (const turn of turns) {
    if (turn === 'step') run.step();
    else run.deliver(...turn.map((payload) => delivery(payload)));
  }
  while (run.step() !== undefined);
  return run;
}

/** All that must not depend on order and number of deliveries. The ids of messages follow from the journal, so they do. */
function outcome({ run, stepsDone, messages, parked, deadLetters, losses, journal }: MemoryRun) {
  const sent = messages.map(({ type, key, payload }) => JSON.stringify([type, key, payload]));
  const applied = journal
    .filter(({ verdict }) => verdict === 'applied')
    .map(({ name, subject }) => `${name} ${subject}`);
  const { state, status, data, marks, attention } = run;
  const undone = { parked: parked.size, counted: run.parkedCount, deadLetters, losses };
  return {
    state,
    status,
    data,
    marks,
    attention,
    stepsDone,
    sent: sent.toSorted(),
    applied: applied.toSorted(),
    ...undone,
  };
}

/** Every event one to three times, in any order and grouping, with turns of the worker in between. */
function turnsOf(events: readonly object[]): fc.Arbitrary<Turn[]> {
  return fc
    .array(fc.integer({ min: 1, max: 3 }), { minLength: events.length, maxLength: events.length })
    .map((times) => events.flatMap((event, n) => Array.from({ length: times[n] ?? 1 }, () => event)))
    .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }))
    .chain((all) =>
      fc.tuple(fc.constant(all), fc.array(fc.nat(3), { minLength: all.length, maxLength: all.length })),
    )
    .map(([all, gaps]) => grouped(all, gaps));
}

/** Gap 0: in the transaction of the event before. 1: in its own. 2 and 3: one or two steps before it. */
function grouped(events: readonly object[], gaps: readonly number[]): Turn[] {
  const turns: (object[] | 'step')[] = [];
  for (const [n, event] of events.entries()) {
    const gap = gaps[n] ?? 1;
    const last = turns.at(-1);
    for (let steps = 1; steps < gap; steps++) turns.push('step');
    if (gap === 0 && Array.isArray(last)) last.push(event);
    else turns.push([event]);
  }
  return turns;
}

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length === 0) return [[]];
  return list.flatMap((first, n) => permutations(list.toSpliced(n, 1)).map((rest) => [first, ...rest]));
}

describe.each([
  { name: 'an order', definition: orderDefinition(), eventsOf: orderEvents, end: 'Shipped' },
  {
    name: 'an account',
    definition: definitionOf(new AccountWorkflow()),
    eventsOf: accountEvents,
    end: 'Closed',
  },
])('$name', ({ definition, eventsOf, end }) => {
  it.each([0, 1, 2])('with %i items or keys ends the same after every order of its events', (count) => {
    const events = eventsOf(count);
    const expected = outcome(
      play(
        definition,
        events.map((event) => [event]),
      ),
    );
    expect(expected).toMatchObject({
      state: end,
      status: 'completed',
      parked: 0,
      counted: 0,
      deadLetters: [],
      losses: [],
    });
    for (const order of permutations(events)) {
      const lazily = order.map((event) => [event]);
      const eagerly = order.flatMap((event): Turn[] => [[event], 'step', [event], 'step', 'step']);
      expect(outcome(play(definition, lazily))).toEqual(expected);
      expect(outcome(play(definition, eagerly))).toEqual(expected);
      expect(outcome(play(definition, [order, order]))).toEqual(expected);
    }
  });

  it('ends the same after every order, number and grouping of its deliveries', () => {
    const property = fc.property(
      fc.nat(5).chain((count) => fc.tuple(fc.constant(eventsOf(count)), turnsOf(eventsOf(count)))),
      ([events, turns]) => {
        const expected = outcome(
          play(
            definition,
            events.map((event) => [event]),
          ),
        );
        const run = play(definition, turns);
        expect(outcome(run)).toEqual(expected);
        expect(new Set(run.messages.map(({ id }) => id)).size).toBe(run.messages.length);
        expect(run.journal.map(({ revision }) => revision)).toEqual(run.journal.map((_, n) => n + 1));
      },
    );
    fc.assert(property, { numRuns: 200 });
  });
});

it('counts each effect of an order once', () => {
  const { stepsDone, messages, data } = play(orderDefinition(), [orderEvents(2), orderEvents(2)]);
  expect(stepsDone).toEqual(['reserveStock', 'charge', 'releaseForShipment']);
  expect(messages.map(({ type }) => type)).toEqual([
    'orders.submitted',
    'orders.item-added',
    'orders.item-added',
    'orders.accepted',
  ]);
  expect(data).toMatchObject({ lines: { 0: 'sku-0', 1: 'sku-1' }, trackingNumber: 'track-1' });
});

it('depends on the order where boot would have refused (control of D16)', () => {
  const definition = orderDefinition();
  const handlers = definition.handlers.map(({ when: _when, ...handler }) => handler);
  const [submitted = [], item = [], accepted = []] = orderEvents(1).map((event) => [event]);
  const ends = [
    [submitted, item, accepted],
    [submitted, accepted, item],
  ].map((turns) => play({ ...definition, handlers }, turns));
  expect(ends[0]?.losses).toEqual([]);
  expect(ends[1]?.losses).toMatchObject([{ type: 'orders.item-added', rule: 'never-applied' }]);
});
