import type { DemoOrder } from './demo-order.js';
import type { Random } from './random.js';

/**
 * How the gateway treats a call. `fail`: 503, nothing charged. `late`: charged, answered after a while. `hang`: charged,
 * never answered, so the caller can not know.
 */
export type Behaviour = 'fail' | 'late' | 'hang';

/** In the order in which they strike one order: only the last lets its payment come to an end. */
export const BEHAVIOURS: readonly Behaviour[] = ['fail', 'hang', 'late'];

/** Which order's first calls are treated how, one behaviour per call; all later calls are answered at once. */
export type GatewayPlan = Readonly<Record<string, readonly Behaviour[]>>;

const SHARE = { fail: 0.15, late: 0.1, hang: 0.05 } as const;

/** Each behaviour strikes its share of the orders, one at least. */
export function gatewayPlan(random: Random, orders: readonly DemoOrder[]): GatewayPlan {
  const plan = new Map<string, Behaviour[]>();
  for (const behaviour of BEHAVIOURS) {
    const count = Math.max(1, Math.round(orders.length * SHARE[behaviour]));
    for (const { id } of random.shuffled(orders).slice(0, count)) {
      plan.set(id, [...(plan.get(id) ?? []), behaviour]);
    }
  }
  return Object.fromEntries(plan);
}
