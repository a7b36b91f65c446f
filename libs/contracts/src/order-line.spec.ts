import { lineTotalCents, LINE_LIMITS, ITEMS_MAX, orderTotalCents, PRINTABLE_TEXT } from './order-line.js';

const line = (quantity: number, unitPriceCents: number, discountPercent: number) => ({
  product: 'Chai',
  quantity,
  unitPriceCents,
  discountPercent,
});

describe('the total of a line', () => {
  it('is cents times quantity without a discount', () => {
    expect(lineTotalCents(line(12, 1400, 0))).toBe(16_800);
  });

  it('rounds half a cent up', () => {
    expect(lineTotalCents(line(1, 1050, 5))).toBe(998); // 997.5
    expect(lineTotalCents(line(1, 1, 50))).toBe(1); // 0.5
  });

  it('rounds less than half a cent down', () => {
    expect(lineTotalCents(line(1, 1, 51))).toBe(0); // 0.49
  });

  it('is nothing at a discount of all', () => {
    expect(lineTotalCents(line(5, 1999, 100))).toBe(0);
  });

  it('is exact at the limits', () => {
    const { quantityMax, unitPriceCentsMax } = LINE_LIMITS;
    expect(lineTotalCents(line(quantityMax, unitPriceCentsMax - 1, 1))).toBe(494_999_995_050);
  });
});

describe('the total of an order', () => {
  it('rounds each line by itself', () => {
    expect(orderTotalCents([line(1, 1, 50), line(1, 1, 50)])).toBe(2);
  });

  it('is a safe integer for the largest order', () => {
    const { quantityMax, unitPriceCentsMax } = LINE_LIMITS;
    expect(Number.isSafeInteger(quantityMax * unitPriceCentsMax * ITEMS_MAX)).toBe(true);
    expect(Number.isSafeInteger(quantityMax * unitPriceCentsMax * 100 + 50)).toBe(true);
  });
});

describe('printable text', () => {
  it.each(['Chai', "Uncle Bob's Organic Dried Pears", 'Gnocchi di nonna Alice', 'Röd Kaviar 🐟'])(
    'is %s',
    (text) => expect(text).toMatch(PRINTABLE_TEXT),
  );

  it.each(['', 'a\u0000b', 'a\nb', 'half \ud83d'])('is not %j', (text) =>
    expect(text).not.toMatch(PRINTABLE_TEXT),
  );
});
