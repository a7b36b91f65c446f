import {
  ItemAdded as AppItemAdded,
  OrderAccepted as AppOrderAccepted,
  OrderShipped as AppOrderShipped,
  OrderSubmitted as AppOrderSubmitted,
} from '@pawl/contracts';
import { definitionOf } from '@pawl/workflow';
import { OrderWorkflow as AppOrderWorkflow } from '../../apps/orders/src/order.workflow.js';
import { PaymentGateway } from '../../apps/orders/src/payment/payment-gateway.js';
import type { Definition } from '../../libs/workflow/src/model/definition.js';
import {
  Accepted,
  CancelRequested,
  ItemAdded,
  Shipped,
  SmallOrderWorkflow,
  Submitted,
} from '../engine/small-order.js';
import {
  ItemAdded as TestItemAdded,
  OrderAccepted as TestOrderAccepted,
  OrderCancelled as TestOrderCancelled,
  orderDefinition,
  OrderShipped as TestOrderShipped,
  OrderSubmitted as TestOrderSubmitted,
  Remark,
} from '../machine/order-workflow.js';
import { Accepted as TicketAccepted, Began, Done, Item, items, ticket } from '../machine/ticket-workflow.js';

/** A workflow whose definition and histories are kept for each release. */
export interface ReleasedWorkflow {
  readonly definition: () => Definition;
  /** Events to make histories of: those of a run that goes well, and some that should not have come. */
  readonly events: () => readonly object[];
  /** Steps that only send messages: they can be called as they are, and the ids of what they send are kept. */
  readonly sending: readonly string[];
}

const line = { product: 'tea', quantity: 2, unitPriceCents: 450, discountPercent: 0 };
const APP_ORDER = 'A-1';

/** By the name of their files. */
export const releasedWorkflows: Readonly<Record<string, ReleasedWorkflow>> = {
  'order-of-the-app': {
    definition: () => definitionOf(new AppOrderWorkflow(new PaymentGateway('http://127.0.0.1:1'))),
    events: () => [
      new AppOrderSubmitted(APP_ORDER, 'Ada'),
      new AppItemAdded(APP_ORDER, 0, line),
      new AppItemAdded(APP_ORDER, 1, { ...line, product: 'cups', discountPercent: 10 }),
      new AppItemAdded(APP_ORDER, 1, { ...line, product: 'mugs' }),
      new AppOrderAccepted(APP_ORDER, 2),
      new AppOrderShipped(APP_ORDER, 'TRACK-1'),
    ],
    sending: ['releaseForShipment'],
  },
  'order-of-the-tests': {
    definition: orderDefinition,
    events: () => [
      new TestOrderSubmitted('Ada'),
      new TestItemAdded(0, 'tea'),
      new TestItemAdded(1, 'cups'),
      new TestItemAdded(1, 'broken'),
      new Remark('r-1', 'as a gift'),
      new Remark('r-1', 'no gift'),
      new TestOrderAccepted(2),
      new TestOrderShipped('TRACK-1'),
      new TestOrderCancelled(),
    ],
    sending: [],
  },
  'small-order': {
    definition: () => definitionOf(new SmallOrderWorkflow({ charge: async () => 'charge-1' })),
    events: () => [
      new Submitted('Ada'),
      new ItemAdded(0, 'tea'),
      new ItemAdded(3, 'cups'),
      new ItemAdded(1, 'milk'),
      new ItemAdded(2, 'sugar'),
      new Accepted(4),
      new Shipped('TRACK-1'),
      new CancelRequested('changed my mind'),
    ],
    sending: [],
  },
  ticket: {
    definition: () =>
      definitionOf(
        ticket((w) => ({ work: w.Step({ in: 'Busy' }), item: w.On(Item, { ...items, competes: true }) })),
      ),
    events: () => [new Began(), new TicketAccepted(), new Done(), new Item()],
    sending: [],
  },
};
