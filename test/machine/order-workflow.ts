import { MessageType, route } from '@pawl/messaging';
import { allItemsSeen } from '../../libs/workflow/src/definition/all-items-seen.js';
import { definitionOf } from '../../libs/workflow/src/definition/verify.js';
import { workflow } from '../../libs/workflow/src/definition/workflow.js';
import type { Definition } from '../../libs/workflow/src/model/definition.js';
import type { StepContext } from '../../libs/workflow/src/model/step-context.js';

@MessageType({ name: 'orders.submitted', version: 1 })
export class OrderSubmitted {
  constructor(readonly customer: string) {}
}

@MessageType({
  name: 'orders.item-added',
  version: 1,
  schema: { type: 'object', properties: { index: {}, sku: { type: 'string' } }, required: ['index', 'sku'] },
})
export class ItemAdded {
  constructor(
    readonly index: number,
    readonly sku: string,
  ) {}
}

@MessageType({ name: 'orders.accepted', version: 1 })
export class OrderAccepted {
  constructor(readonly itemCount: number) {}
}

@MessageType({ name: 'orders.remark', version: 1 })
export class Remark {
  constructor(
    readonly ref: string,
    readonly text: string,
  ) {}
}

@MessageType({ name: 'orders.cancelled', version: 1 })
export class OrderCancelled {}

@MessageType({ name: 'shipping.shipped', version: 1 })
export class OrderShipped {
  constructor(readonly trackingNumber: string) {}
}

export interface Order {
  customer: string;
  lines: Record<number, string>;
  remarks: Record<string, string>;
  trackingNumber: string;
  overdue: boolean;
}

export const shipping = route({ to: 'shipping' });

const order = workflow<Order>()('order', {
  version: 1,
  states: ['Submitted', 'Accepted', 'AwaitingShipment', 'Shipped', 'Cancelled'],
  final: ['Shipped', 'Cancelled'],
});

/** The order of the design's first pages, with a remark (semantic key), a cancellation that competes, and an overdue shipment. */
@order.Workflow()
export class OrderWorkflow {
  readonly effects: string[] = [];

  @order.On(OrderSubmitted, { start: true, to: 'Submitted', publish: shipping })
  submitted(data: Order, event: OrderSubmitted) {
    data.customer = event.customer;
    data.lines = {};
    data.remarks = {};
  }

  @order.On(ItemAdded, { in: 'Submitted', item: (e) => e.index, publish: shipping })
  itemAdded(data: Order, event: ItemAdded) {
    if (event.sku === 'broken') throw new Error('no such article');
    data.lines[event.index] = event.sku;
  }

  @order.On(Remark, { in: ['Submitted', 'Accepted'], key: (e) => e.ref, late: 'ignore' })
  remark(data: Order, event: Remark) {
    data.remarks[event.ref] = event.text;
  }

  @order.On(OrderAccepted, {
    in: 'Submitted',
    to: 'Accepted',
    when: allItemsSeen(ItemAdded, (e) => e.itemCount),
    publish: shipping,
  })
  accepted() {}

  @order.On(OrderCancelled, { in: 'Submitted', to: 'Cancelled', competes: true })
  cancelled() {}

  @order.Timeout({ in: 'Submitted', after: '30m', to: 'Cancelled' })
  expired() {}

  @order.Step({ in: 'Accepted' })
  async reserveStock({ key }: StepContext<Order>) {
    this.effects.push(`reserve ${key}`);
  }

  @order.Step({ in: 'Accepted', effect: 'external', retry: { attempts: 3, backoff: 'fixed', delay: '1s' } })
  async charge({ key }: StepContext<Order>) {
    this.effects.push(`charge ${key}`);
    return { receipt: key };
  }

  @order.Step({ in: 'Accepted', to: 'AwaitingShipment' })
  async releaseForShipment({ key }: StepContext<Order>) {
    this.effects.push(`release ${key}`);
  }

  @order.On(OrderShipped, { in: 'AwaitingShipment', to: 'Shipped' })
  shipped(data: Order, event: OrderShipped) {
    data.trackingNumber = event.trackingNumber;
  }

  @order.Timeout({ in: 'AwaitingShipment', after: '48h', attention: 'shipment overdue' })
  overdue(data: Order) {
    data.overdue = true;
  }
}

export function orderDefinition(): Definition {
  return definitionOf(new OrderWorkflow());
}
