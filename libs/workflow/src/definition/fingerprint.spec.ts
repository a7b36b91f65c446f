import { orderDefinition } from '../../../../test/machine/order-workflow.js';
import { Done, Item, items, ticket, type Untyped } from '../../../../test/machine/ticket-workflow.js';
import { fingerprint } from './fingerprint.js';
import { definitionOf } from './verify.js';

type Members = Parameters<typeof ticket>[0];

const hashOf = (members?: Members, given?: Parameters<typeof ticket>[1]) =>
  fingerprint(definitionOf(ticket(members, given))).hash;

const standard = hashOf();
const withSteps = (first: string, second: string) => (w: Untyped) => ({
  [first]: w.Step({ in: 'Open' }),
  [second]: w.Step({ in: 'Open' }),
});

it('is the same for the same definition, in every process', () => {
  expect(hashOf()).toBe(standard);
  expect(standard).toBe('hsCz4aWRlWKSObdBufQyM5Espb6buiRwLpWluMY0pXk');
});

it('draws the graph as plain JSON', () => {
  const { graph } = fingerprint(orderDefinition());
  expect(JSON.parse(JSON.stringify(graph))).toEqual(graph);
  expect(graph.handlers[3]).toEqual({
    member: 'accepted',
    type: 'orders.accepted',
    typeVersion: 1,
    start: false,
    in: ['Submitted'],
    to: 'Accepted',
    subject: 'single',
    guard: 'allItemsSeen',
    itemsOf: 'orders.item-added',
    publish: 'shipping',
  });
  expect(graph.steps.at(-1)).toEqual({
    name: 'releaseForShipment',
    in: 'Accepted',
    to: 'AwaitingShipment',
    effect: 'transactional',
  });
  expect(graph.timeouts).toEqual([
    { member: 'expired', in: 'Submitted', to: 'Cancelled' },
    { member: 'overdue', in: 'AwaitingShipment', to: null },
  ]);
});

it.each<[string, Members]>([
  ['a transition', (w) => ({ done: w.On(Done, { in: ['Open', 'Busy'], to: 'Closed', competes: true }) })],
  ['a new event', (w) => ({ item: w.On(Item, { ...items, competes: true }) })],
  ['a guard', (w) => ({ done: w.On(Done, { in: 'Busy', to: 'Closed', when: () => true }) })],
  ['a new step', (w) => ({ work: w.Step({ in: 'Busy' }) })],
  ['a new timeout', (w) => ({ expired: w.Timeout({ in: 'Open', after: 1, to: 'Closed' }) })],
])('changes with %s', (_what, members) => {
  expect(hashOf(members)).not.toBe(standard);
});

it('changes with the effect and the order of steps', () => {
  const steps = hashOf(withSteps('one', 'two'));
  expect(hashOf(withSteps('two', 'one'))).not.toBe(steps);
  expect(
    hashOf((w) => ({ one: w.Step({ in: 'Open', effect: 'external' }), two: w.Step({ in: 'Open' }) })),
  ).not.toBe(steps);
});

it('stays with what may be tuned under way', () => {
  const tuned = hashOf((w) => ({
    done: w.On(Done, { in: 'Busy', to: 'Closed', late: 'ignore', parkedFor: '1h' }),
  }));
  expect(tuned).toBe(standard);
  const patient = (attempts: number) =>
    hashOf((w) => ({ work: w.Step({ in: 'Busy', retry: { attempts }, timeout: attempts }) }));
  expect(patient(1)).toBe(patient(9));
  const expired = (after: string) =>
    hashOf((w) => ({ expired: w.Timeout({ in: 'Open', after, to: 'Closed' }) }));
  expect(expired('1h')).toBe(expired('2h'));
});

it('stays with the order of handlers in the class', () => {
  const { handlers, ...rest } = definitionOf(ticket());
  expect(fingerprint({ ...rest, handlers: handlers.toReversed() }).hash).toBe(standard);
});
