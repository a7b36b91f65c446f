import { type OrderLine, orderTotalCents } from '@pawl/contracts';
import type { Order } from '../order.workflow.js';

/** What `GET /orders/:id` shows. */
export interface OrderView {
  readonly orderId: string;
  /** `awaited`: something about the order came before the order itself. */
  readonly status: string;
  readonly state: string | null;
  /** Why a person should look at the order, if one should. */
  readonly attention: string | null;
  readonly customer: string | null;
  /** In the order of their index. */
  readonly items: readonly (OrderLine & { readonly index: number })[];
  readonly totalCents: number;
  readonly trackingNumber: string | null;
}

export function orderView({ key, status, state, attention, data }: OrderRun): OrderView {
  // The run of an awaited order has no data yet.
  const { customer = null, lines = {}, trackingNumber = null } = data as Partial<Order>;
  const items = Object.entries(lines).map(([index, line]) => ({ index: Number(index), ...line }));
  const totalCents = orderTotalCents(items);
  return { orderId: key, status, state, attention, customer, items, totalCents, trackingNumber };
}

interface OrderRun {
  readonly key: string;
  readonly status: string;
  readonly state: string | null;
  readonly attention: string | null;
  readonly data: unknown;
}
