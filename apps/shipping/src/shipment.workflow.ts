import {
  ItemAdded,
  OrderAccepted,
  type OrderLine,
  OrderReleased,
  OrderShipped,
  OrderSubmitted,
} from '@pawl/contracts';
import { route } from '@pawl/messaging';
import { allItemsSeen, type StepContext, workflow } from '@pawl/workflow';
import { Parcel } from './parcels/parcel.js';
import { ShippedOrder } from './shipments/shipped-order.js';

/** What shipping has heard of an order. */
export interface Shipment {
  customer: string;
  /** By item index. */
  lines: Record<number, Pick<OrderLine, 'product' | 'quantity'>>;
}

/** Orders hears when one has left the house. */
export const ordersRoute = route({ to: 'orders', messages: [OrderShipped] });

const shipment = workflow<Shipment>()('shipment', {
  version: 1,
  states: ['Collecting', 'Complete', 'Released', 'Shipped'],
  final: ['Shipped'],
});

/**
 * One order on its way out of the house. The messages about it come in any order and number: what is early waits for what has to come first.
 * The items are collected, the acceptance says that these are all of them, the release lets them go.
 */
@shipment.Workflow()
export class ShipmentWorkflow {
  @shipment.On(OrderSubmitted, { start: true, to: 'Collecting' })
  announced(data: Shipment, event: OrderSubmitted) {
    data.customer = event.customer;
    data.lines = {};
  }

  @shipment.On(ItemAdded, { in: 'Collecting', item: (event) => event.index })
  itemAdded(data: Shipment, event: ItemAdded) {
    const { product, quantity } = event.line;
    data.lines[event.index] = { product, quantity };
  }

  @shipment.On(OrderAccepted, {
    in: 'Collecting',
    to: 'Complete',
    when: allItemsSeen(ItemAdded, (event: OrderAccepted) => event.itemCount),
  })
  complete() {}

  @shipment.On(OrderReleased, { in: 'Complete', to: 'Released' })
  released() {}

  /** An order that its customer never accepts is cancelled by orders, and nobody ships it. */
  @shipment.Timeout({ in: ['Collecting', 'Complete'], after: '7d', attention: 'order never released' })
  forgotten() {}

  @shipment.Step({ in: 'Released' })
  async pack({ key, data, tx }: StepContext<Shipment>) {
    const lines = Object.entries(data.lines);
    await tx.insert(
      Parcel,
      lines.map(([index, { product, quantity }]) => ({
        orderId: key,
        itemIndex: Number(index),
        product,
        quantity,
      })),
    );
    return { parcels: lines.length };
  }

  @shipment.Step({ in: 'Released', to: 'Shipped' })
  async ship({ key, runId, send, tx }: StepContext<Shipment>) {
    const trackingNumber = trackingNumberOf(runId);
    await tx.insert(ShippedOrder, { orderId: key, trackingNumber });
    send(ordersRoute, new OrderShipped(key, trackingNumber));
    return { trackingNumber };
  }
}

/** The same for every attempt, so that an order never has two. */
export function trackingNumberOf(runId: string): string {
  return `PAWL-${runId.replaceAll('-', '').toUpperCase()}`;
}
