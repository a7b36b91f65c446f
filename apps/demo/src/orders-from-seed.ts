import type { DemoLine, DemoOrder } from './demo-order.js';
import type { Random } from './random.js';

const CUSTOMERS = ['ALBERTA', 'BRUNO', 'CHIARA', 'DMITRI', 'EVA', 'FATIMA', 'GEORGE', 'HANNA'] as const;
const PRODUCTS = [
  'anvil',
  'bolt',
  'crank',
  'dowel',
  'eyelet',
  'flange',
  'gear',
  'hinge',
  'pawl',
  'ratchet',
] as const;
const LINES_MAX = 6;

/** Invents orders; the same seed and count give the same orders. */
export function ordersFromSeed(random: Random, count: number): readonly DemoOrder[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `demo-${String(n + 1).padStart(4, '0')}`,
    customer: random.pick(CUSTOMERS),
    lines: Array.from({ length: random.between(1, LINES_MAX) }, (__, index) => line(random, index)),
  }));
}

function line(random: Random, index: number): DemoLine {
  return {
    index,
    product: random.pick(PRODUCTS),
    quantity: random.between(1, 40),
    unitPriceCents: random.between(1, 25_000),
    discountPercent: random.pick([0, 0, 0, 5, 10, 15, 25]),
  };
}
