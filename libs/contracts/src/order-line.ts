/** One line of an order. */
export interface OrderLine {
  /** Name or number of the product, 1 to 200 characters. */
  readonly product: string;
  readonly quantity: number;
  /** Price of one piece in integer cents. */
  readonly unitPriceCents: number;
  /** Whole percent, 0 to 100. */
  readonly discountPercent: number;
}

/** Bounds under which the total of the largest order, and each product on the way to it, is an exact integer. */
export const LINE_LIMITS = {
  productLengthMax: 200,
  quantityMax: 5_000,
  unitPriceCentsMax: 100_000_000,
} as const;

/** How many items an order may have; their indexes are 0 to one less. */
export const ITEMS_MAX = 1_000;

/** Text that people read: no control characters, which PostgreSQL or a log would choke on, and no half of a surrogate pair. */
export const PRINTABLE_TEXT = /^[^\p{Cc}\p{Cs}]+$/u;

/** A line as a member of a payload. */
export const orderLine = {
  type: 'object',
  required: ['product', 'quantity', 'unitPriceCents', 'discountPercent'],
  additionalProperties: false,
  properties: {
    product: {
      type: 'string',
      maxLength: LINE_LIMITS.productLengthMax,
      pattern: PRINTABLE_TEXT.source,
    },
    quantity: { type: 'integer', minimum: 1, maximum: LINE_LIMITS.quantityMax },
    unitPriceCents: { type: 'integer', minimum: 0, maximum: LINE_LIMITS.unitPriceCentsMax },
    discountPercent: { type: 'integer', minimum: 0, maximum: 100 },
  },
} as const;

/** Cents x quantity x (1 - discount), rounded half up to a cent, in integers only. */
export function lineTotalCents({ quantity, unitPriceCents, discountPercent }: OrderLine): number {
  return Math.floor((unitPriceCents * quantity * (100 - discountPercent) + 50) / 100);
}

/** The sum of the lines, each rounded by itself. */
export function orderTotalCents(lines: Iterable<OrderLine>): number {
  let cents = 0;
  for (const line of lines) cents += lineTotalCents(line);
  return cents;
}
