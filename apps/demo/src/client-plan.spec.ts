import { afterPlan, chaoticPlan, orderlyPlan } from './client-plan.js';
import { ordersFromSeed } from './orders-from-seed.js';
import { Random } from './random.js';

const random = new Random('client-plan');

it('wishes for each order, item and acceptance once, in order, without faults', () => {
  const orders = ordersFromSeed(random.of('orders'), 3);
  const wishes = orderlyPlan(orders);
  const paths = orders.flatMap(({ id, lines }) => [
    '/orders',
    ...lines.map(() => `/orders/${id}/items`),
    `/orders/${id}/accept`,
  ]);
  expect(wishes.map(({ path }) => path)).toEqual(paths);
  expect(wishes.every(({ times }) => times === 1)).toBe(true);
});

it.each([1, 2, 50])('with faults, %d orders make the same wishes in another order', (count) => {
  const orders = ordersFromSeed(random.of('orders'), count);
  const wishes = chaoticPlan(random.of('plan'), orders);
  const keys = (some: readonly { key: string }[]) => some.map(({ key }) => key).sort();
  expect(keys(wishes)).toEqual(keys(orderlyPlan(orders)));
});

it.each([1, 2, 50])('each fault of the client strikes %d orders, for any seed', (count) => {
  for (let seed = 0; seed < 20; seed++) {
    const orders = ordersFromSeed(new Random(`${seed}`), count);
    const wishes = chaoticPlan(new Random(`${seed}/plan`), orders);
    expect(wishes[0]?.path).toBe(`/orders/${orders[0]?.id}/accept`);
    expect(wishes.some(({ times, atOnce }) => times > 1 && atOnce)).toBe(true);
    expect(wishes.some(({ times, atOnce }) => times > 1 && !atOnce)).toBe(true);
    const { known, contradicting } = afterPlan(new Random(`${seed}/after`), orders);
    expect(Math.min(known.length, contradicting.length)).toBeGreaterThan(0);
  }
});

it('contradicts an item by another quantity, under a key of its own', () => {
  const [order] = ordersFromSeed(random.of('orders'), 1);
  const { contradicting } = afterPlan(random, order ? [order] : []);
  expect(contradicting).toEqual([
    expect.objectContaining({ body: { ...order?.lines[0], quantity: (order?.lines[0]?.quantity ?? 0) + 1 } }),
  ]);
});
