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
