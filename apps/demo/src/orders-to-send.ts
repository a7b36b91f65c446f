import type { DemoOrder } from './demo-order.js';
import { ORDERS_DEFAULT } from './options.js';
import type { DemoOptions } from './options.js';
import { ordersFromNorthwind } from './orders-from-northwind.js';
import { ordersFromSeed } from './orders-from-seed.js';
import { Random } from './random.js';

/** The orders of a demo, from its options alone: nothing that runs can change them. */
export async function ordersToSend({ data, orders, seed }: DemoOptions): Promise<readonly DemoOrder[]> {
  if (data !== undefined) return ordersFromNorthwind(data, orders);
  return ordersFromSeed(new Random(seed).of('orders'), orders ?? ORDERS_DEFAULT);
}
