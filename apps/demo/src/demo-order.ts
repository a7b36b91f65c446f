/** What the demo orders: known before anything runs, from the seed or the files alone. */
export interface DemoOrder {
  readonly id: string;
  readonly customer: string;
  readonly lines: readonly DemoLine[];
}

export interface DemoLine {
  /** Its number within the order, from 0 and without gaps. */
  readonly index: number;
  readonly product: string;
  readonly quantity: number;
  readonly unitPriceCents: number;
  /** Whole percent. */
  readonly discountPercent: number;
}

/**
 * Cents x quantity x (1 - discount), rounded half up, in whole numbers: no binary fraction is near. The demo's own
 * arithmetic on purpose; it shares no code with the services that it checks.
 */
export function lineCents({ unitPriceCents, quantity, discountPercent }: DemoLine): number {
  const hundredths = BigInt(unitPriceCents) * BigInt(quantity) * BigInt(100 - discountPercent);
  return Number((hundredths + 50n) / 100n);
}

export function totalCents({ lines }: DemoOrder): number {
  return lines.reduce((sum, line) => sum + lineCents(line), 0);
}

/** How a line is called in reports and counts. */
export function lineKey(orderId: string, index: number): string {
  return `${orderId}#${index}`;
}

/**
 * A decimal as a whole number of its `decimals`-th parts, exactly: `scaled('14.5', 2)` is 1450.
 *
 * @throws RangeError if it is not a plain decimal that is at least 0, or has more decimals than that.
 */
export function scaled(text: string, decimals: number): number {
  const [, whole, part = ''] = /^(\d{1,9})(?:\.(\d+))?$/.exec(text) ?? [];
  const kept = part.replace(/0+$/, '');
  if (whole === undefined || kept.length > decimals) {
    throw new RangeError(`"${text}" is not a decimal with at most ${decimals} places`);
  }
  return Number(whole + kept.padEnd(decimals, '0'));
}
