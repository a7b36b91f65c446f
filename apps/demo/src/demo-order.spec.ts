import fc from 'fast-check';
import { lineCents, scaled, totalCents } from './demo-order.js';

const line = (unitPriceCents: number, quantity: number, discountPercent: number) => ({
  index: 0,
  product: 'Chai',
  unitPriceCents,
  quantity,
  discountPercent,
});

it.each([
  [1400, 12, 0, 16_800],
  [1050, 1, 5, 998], // 997.5
  [1, 1, 50, 1], // 0.5
  [1, 1, 51, 0], // 0.49
  [2975, 3, 15, 7586], // 7586.25
])('%d cents x %d at %d %% less are %d', (cents, quantity, percent, expected) => {
  expect(lineCents(line(cents, quantity, percent))).toBe(expected);
});

it('rounds each line by itself', () => {
  expect(totalCents({ id: 'a', customer: 'b', lines: [line(1, 1, 50), line(1, 1, 50)] })).toBe(2);
});

it('is never more than half a cent off', () => {
  const positive = fc.nat({ max: 1_000_000 });
  fc.assert(
    fc.property(positive, fc.nat({ max: 5000 }), fc.nat({ max: 100 }), (cents, quantity, percent) => {
      const hundredths = BigInt(cents) * BigInt(quantity) * BigInt(100 - percent);
      const off = 100n * BigInt(lineCents(line(cents, quantity, percent))) - hundredths;
      return off > -50n && off <= 50n;
    }),
  );
});

it('reads decimals exactly', () => {
  expect([
    scaled('14.00', 2),
    scaled('9.8', 2),
    scaled('0.15', 2),
    scaled('0.070', 2),
    scaled('12', 0),
  ]).toEqual([1400, 980, 15, 7, 12]);
});

it.each(['', '-1', '1.005', '1e3', '.5', '1,5', 'NULL', '1.'])(
  'refuses %j as a decimal of two places',
  (text) => {
    expect(() => scaled(text, 2)).toThrow(RangeError);
  },
);
