/** A span of time: '500ms', '30s', '15m', '24h', '7d', or a number of milliseconds. */
export type Duration = number | `${number}${Unit}`;

/** Milliseconds, rounded; undefined for what is no duration. */
export function toMilliseconds(duration: Duration): number | undefined {
  if (typeof duration === 'number') return Number.isFinite(duration) ? Math.round(duration) : undefined;
  const [, amount, unit] = DURATION.exec(duration) ?? [];
  return amount === undefined ? undefined : Math.round(Number(amount) * MILLISECONDS[unit as Unit]);
}

type Unit = 'ms' | 's' | 'm' | 'h' | 'd';

const DURATION = /^(-?\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const MILLISECONDS: Readonly<Record<Unit, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
