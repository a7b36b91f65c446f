import type { DemoOrder } from './demo-order.js';
import type { Random } from './random.js';

/** One thing that the client wants of the orders service, under one idempotency key. */
export interface Wish {
  readonly orderId: string;
  readonly path: string;
  readonly key: string;
  readonly body: object;
  /** How often it is sent under its key. */
  readonly times: number;
  /** Whether its repetitions go out at the same moment. */
  readonly atOnce: boolean;
}

/** How far a wish may stray from its place, counted in orders. */
const STRAY_ORDERS = 10;

const SUBMISSION_PATH = '/orders';

/** The wish whose fulfilment makes an order known. */
export function isSubmission({ path }: Wish): boolean {
  return path === SUBMISSION_PATH;
}

/** Each wish once, order by order. To be sent in this order, one at a time. */
export function orderlyPlan(orders: readonly DemoOrder[]): readonly Wish[] {
  return orders.flatMap((order) => wishesOf(order).map((wish) => ({ ...wish, times: 1, atOnce: false })));
}

/**
 * Each wish one to three times, shuffled among some neighbouring orders and within its own: items come before their order,
 * acceptances before items. To be sent in this order, several at a time. The first order is accepted before anything else, so that even a demo of one order sees this.
 */
export function chaoticPlan(random: Random, orders: readonly DemoOrder[]): readonly Wish[] {
  const placed = orders.flatMap((order, place) =>
    wishesOf(order).map((wish, n) => ({
      wish: { ...wish, times: random.between(1, 3), atOnce: random.chance(0.5) },
      place: place === 0 ? -n : place + random.fraction() * STRAY_ORDERS,
    })),
  );
  const wishes = placed.sort((a, b) => a.place - b.place).map(({ wish }) => wish);
  return wishes.map((wish, n) => (n > 1 ? wish : { ...wish, times: 2, atOnce: n === 0 }));
}

/** What is sent when everything is over: facts that are known already, and facts that contradict them. */
export interface AfterPlan {
  /** Same content, another key: to be answered like the first time, and to do nothing. */
  readonly known: readonly Wish[];
  /** An item's index with another quantity: to be refused, and to do nothing. */
  readonly contradicting: readonly Wish[];
}

const AFTER_SHARE = 0.05;

/** For some of the orders, one at least. */
export function afterPlan(random: Random, orders: readonly DemoOrder[]): AfterPlan {
  const some = random.shuffled(orders).slice(0, Math.ceil(orders.length * AFTER_SHARE));
  const single = { times: 1, atOnce: false };
  const known = some.flatMap(wishesOf).map((wish) => ({ ...wish, ...single, key: `${wish.key}-again` }));
  const contradicting = some.flatMap(({ id, lines: [first] }) => {
    if (!first) return [];
    const wish = itemWish(id, first.index, { ...first, quantity: first.quantity + 1 });
    return [{ ...wish, ...single, key: `${wish.key}-other` }];
  });
  return { known, contradicting };
}

function wishesOf({ id, customer, lines }: DemoOrder): readonly Omit<Wish, 'times' | 'atOnce'>[] {
  return [
    { orderId: id, path: SUBMISSION_PATH, key: `${id}-submit`, body: { orderId: id, customer } },
    ...lines.map((line) => itemWish(id, line.index, line)),
    { orderId: id, path: `/orders/${id}/accept`, key: `${id}-accept`, body: { itemCount: lines.length } },
  ];
}

function itemWish(orderId: string, index: number, body: object): Omit<Wish, 'times' | 'atOnce'> {
  return { orderId, path: `/orders/${orderId}/items`, key: `${orderId}-item-${index}`, body };
}
