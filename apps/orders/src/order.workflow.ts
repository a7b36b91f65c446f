import {
  ItemAdded,
  OrderAccepted,
  type OrderLine,
  OrderReleased,
  OrderShipped,
  OrderSubmitted,
  orderTotalCents,
} from '@pawl/contracts';
import { route } from '@pawl/messaging';
import { allItemsSeen, type StepContext, workflow } from '@pawl/workflow';
import { PaymentGateway } from './payment/payment-gateway.js';
import { Reservation } from './stock/reservation.js';
import { submittedTimeout } from './submitted-timeout.js';

/** What is known of an order. */
export interface Order {
  customer: string;
  /** By item index. */
  lines: Record<number, OrderLine>;
  trackingNumber?: string;
}

/** Shipping hears of an order from its first day, and packs it as soon as it is released. */
export const shipping = route({
  to: 'shipping',
  messages: [OrderSubmitted, ItemAdded, OrderAccepted, OrderReleased],
});

const order = workflow<Order>()('order', {
  version: 1,
  states: ['Submitted', 'Accepted', 'AwaitingShipment', 'Shipped', 'Cancelled'],
  final: ['Shipped', 'Cancelled'],
});

/**
 * The life of an order: submitted, filled item by item, accepted, paid, shipped. Its events may come twice and in any order: an item before
 * the order, the acceptance before the last item. Each is applied once, and nobody acts on a part of an order.
 */
@order.Workflow()
export class OrderWorkflow {
  constructor(private readonly payments: PaymentGateway) {}

  @order.On(OrderSubmitted, { start: true, to: 'Submitted', publish: shipping })
  submitted(data: Order, event: OrderSubmitted) {
    data.customer = event.customer;
    data.lines = {};
  }

  @order.On(ItemAdded, { in: 'Submitted', item: (event) => event.index, publish: shipping })
  itemAdded(data: Order, event: ItemAdded) {
    data.lines[event.index] = event.line;
  }

  @order.On(OrderAccepted, {
    in: 'Submitted',
    to: 'Accepted',
    when: allItemsSeen(ItemAdded, (event: OrderAccepted) => event.itemCount),
    publish: shipping,
  })
  accepted() {}

  @order.Timeout({ in: 'Submitted', after: submittedTimeout, to: 'Cancelled' })
  expired() {}

  @order.Step({ in: 'Accepted' })
  async reserveStock({ key, data, tx }: StepContext<Order>) {
    const lines = Object.entries(data.lines);
    await tx.insert(
      Reservation,
      lines.map(([index, { product, quantity }]) => ({
        orderId: key,
        itemIndex: Number(index),
        product,
        quantity,
      })),
    );
    return { lines: lines.length };
  }

  @order.Step({ in: 'Accepted', effect: 'external', timeout: '5s' })
  async charge({ key, data, idempotencyKey, signal }: StepContext<Order>) {
    const amountCents = orderTotalCents(Object.values(data.lines));
    return this.payments.charge({ orderId: key, amountCents }, { idempotencyKey, signal });
  }

  @order.Step({ in: 'Accepted', to: 'AwaitingShipment' })
  async releaseForShipment({ key, send }: StepContext<Order>) {
    send(shipping, new OrderReleased(key));
  }

  @order.On(OrderShipped, { in: 'AwaitingShipment', to: 'Shipped' })
  shipped(data: Order, event: OrderShipped) {
    data.trackingNumber = event.trackingNumber;
  }

  @order.Timeout({ in: 'AwaitingShipment', after: '48h', attention: 'shipment overdue' })
  overdue() {}
}
