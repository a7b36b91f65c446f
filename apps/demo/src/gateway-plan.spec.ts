import { BEHAVIOURS, gatewayPlan } from './gateway-plan.js';
import { ordersFromSeed } from './orders-from-seed.js';
import { Random } from './random.js';

it.each([1, 3, 200])('lets every misbehaviour strike at least once among %d orders', (count) => {
  const plan = gatewayPlan(new Random('plan'), ordersFromSeed(new Random('orders'), count));
  const all = Object.values(plan).flat();
  expect([...new Set(all)].sort()).toEqual([...BEHAVIOURS].sort());
});

it('lets the charge through only in the last call that it plans, so that each of them is made', () => {
  const plan = gatewayPlan(new Random('plan'), ordersFromSeed(new Random('orders'), 1));
  expect(Object.values(plan)).toEqual([['fail', 'hang', 'late']]);
});
