import {
  ItemAdded as PricedItem,
  OrderAccepted as OrderTaken,
  OrderShipped as OrderSent,
  OrderSubmitted as OrderPlaced,
} from '@pawl/contracts';
import { assertConverges, explore } from '@pawl/testing';
import { OrderWorkflow as DemoOrderWorkflow } from '../../apps/orders/src/order.workflow.js';
import {
  Accepted,
  CancelRequested,
  ItemAdded,
  Shipped,
  SmallOrderWorkflow,
  Submitted,
} from '../engine/small-order.js';
import * as machine from '../machine/order-workflow.js';

const small = [
  new Submitted('Ada'),
  new ItemAdded(0, 'tea'),
  new ItemAdded(1, 'milk'),
  new Accepted(2),
  new Shipped('T-1'),
];
const line = { product: 'tea', quantity: 2, unitPriceCents: 350, discountPercent: 0 };

it.each([
  ['the small order', SmallOrderWorkflow, small],
  [
    'the demo',
    DemoOrderWorkflow,
    [
      new OrderPlaced('o-1', 'Ada'),
      new PricedItem('o-1', 0, line),
      new OrderTaken('o-1', 1),
      new OrderSent('o-1', 'T-1'),
    ],
  ],
])('an order of %s ends shipped, whatever comes first or twice', (_, workflow, events) => {
  expect(assertConverges(workflow, events)).toMatchObject({
    outcome: 'converges',
    ends: ['Shipped, completed'],
  });
});

it('a race that is declared ends one way or the other', () => {
  const found = assertConverges(SmallOrderWorkflow, [...small, new CancelRequested('late')]);
  expect(found).toMatchObject({ outcome: 'converges' });
  expect(found.ends).toEqual(['Cancelled, completed', 'Shipped, completed']);
});

it('an event that may be late ends in time or not', () => {
  const events = [
    new machine.OrderSubmitted('Ada'),
    new machine.ItemAdded(0, 'tea'),
    new machine.Remark('a', 'quick'),
    new machine.OrderAccepted(1),
    new machine.OrderShipped('T-1'),
  ];
  expect(assertConverges(machine.OrderWorkflow, events).ends).toEqual(['Shipped, completed']);
});

it('a timeout may end it at any moment of its state', () => {
  const accepted = small.slice(0, -1);
  const found = assertConverges(SmallOrderWorkflow, accepted, { timers: true, copies: 1 });
  expect(found.ends).toEqual(['AwaitingShipment, waiting', 'Cancelled, completed']);
});

it('two contents under one key end differently, and that is told', () => {
  const { outcome, report } = explore(SmallOrderWorkflow, [...small, new ItemAdded(0, 'coffee')]);
  expect(outcome).toBe('diverges');
  expect(report).toContain('rejected, conflicting-content');
});

it('an event that no order takes is no event to explore with', () => {
  const invalid = [new OrderPlaced('o-1', 'Ada'), new PricedItem('o-1', -1, line)];
  expect(() => explore(DemoOrderWorkflow, invalid)).toThrow(/^ItemAdded \{.* is rejected in every order/);
});
