const INCARNATION = /^[0-7][0-9a-f]{7}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Whether a value can be an incarnation: a UUID whose time is before the year 6429. Beyond that there would be no room for newer ones, and
 * a stream that has seen it could never begin again.
 */
export function isIncarnation(value: unknown): value is string {
  return typeof value === 'string' && INCARNATION.test(value);
}

/**
 * An incarnation that is newer than all that are known: `fresh`, a UUIDv7 of this moment, unless a clock was set back; then its time is
 * moved just beyond the newest. Greater is newer, so that two sides never argue about which of two came later.
 */
export function newerIncarnation(fresh: string, known: readonly (string | undefined)[]): string {
  const newest = known.reduce<string>((most, each) => (each !== undefined && each > most ? each : most), '');
  if (fresh > newest) return fresh;
  const beyond = (BigInt(`0x${newest.slice(0, 8)}${newest.slice(9, 13)}`) + 1n)
    .toString(16)
    .padStart(12, '0');
  return `${beyond.slice(0, 8)}-${beyond.slice(8, 12)}${fresh.slice(13)}`;
}
