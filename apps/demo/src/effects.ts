import { lineKey, totalCents } from './demo-order.js';
import type { DemoOrder } from './demo-order.js';
import type { Effect, Found } from './reconcile.js';

/** What was counted after the demo, each from where the application keeps it. */
export interface Counted {
  readonly reservations: readonly Found[];
  readonly charges: readonly Found[];
  readonly parcels: readonly Found[];
  readonly shipments: readonly Found[];
}

/** Each effect that the orders have to have, from the orders alone, beside what was counted. */
export function effects(orders: readonly DemoOrder[], counted: Counted): readonly Effect[] {
  const lines = orders.flatMap(({ id, lines }) =>
    lines.map((line) => [lineKey(id, line.index), line.quantity] as const),
  );
  const totals = orders.map((order) => [order.id, totalCents(order)] as const);
  const once = orders.map(({ id }) => [id, 1] as const);
  return [
    effect('stock reserved', 'orders.reservation', {
      unit: 'pieces',
      expected: lines,
      found: counted.reservations,
    }),
    effect('payment charged', "the gateway's file", {
      unit: 'cents',
      expected: totals,
      found: counted.charges,
    }),
    effect('parcel packed', 'shipping.parcel', { unit: 'pieces', expected: lines, found: counted.parcels }),
    effect('order shipped', 'shipping.shipment', { expected: once, found: counted.shipments }),
  ];
}

interface Books {
  readonly unit?: string;
  readonly expected: readonly (readonly [string, number])[];
  readonly found: readonly Found[];
}

function effect(name: string, countedIn: string, { unit, expected, found }: Books): Effect {
  return { name, countedIn, expected: new Map(expected), found, ...(unit === undefined ? {} : { unit }) };
}
