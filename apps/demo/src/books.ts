import type { DemoOrder } from './demo-order.js';
import { effects } from './effects.js';
import { countParcels, countReservations, countShipments } from './found.js';
import type { GatewayCall } from './gateway-ledger.js';
import { reconcile } from './reconcile.js';
import type { Found, ReconciledRow } from './reconcile.js';
import type { Stage } from './stage.js';

/**
 * Compares what the orders have to have caused with what is found in the services' own tables and in the gateway's own file. Nothing
 * of Pawl's is asked: neither its tables nor an answer that is made from them.
 */
export async function checkBooks(
  stage: Stage,
  orders: readonly DemoOrder[],
  calls: readonly GatewayCall[],
): Promise<readonly ReconciledRow[]> {
  const counted = {
    reservations: await countReservations(stage.urls.orders),
    charges: chargesOf(calls),
    parcels: await countParcels(stage.urls.shipping),
    shipments: await countShipments(stage.urls.shipping),
  };
  return effects(orders, counted).map(reconcile);
}

/** Every charge, under whatever key: a second key for one order is a second charge. */
function chargesOf(calls: readonly GatewayCall[]): readonly Found[] {
  return calls
    .filter(({ result }) => result === 'charged')
    .map(({ order, cents }) => ({ key: order, amount: cents }));
}
