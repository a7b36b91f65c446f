import { createHash } from 'node:crypto';
import { v7 } from 'uuid';

/** A new id for an exchange, a UUIDv7: keep it, durably, before the first call under it, and use it for every repetition. */
export function newRequestId(): string {
  return v7();
}

/**
 * The id that belongs to `name` as of an instant: the same for the same arguments, whoever makes it. A UUIDv7 whose random part is a
 * digest of the name, so two names never meet.
 * @param atMs milliseconds since 1970: what the acceptance window of the other side counts from
 */
export function requestIdOf(atMs: number, name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16);
  bytes.writeUIntBE(Math.trunc(atMs), 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The instant that an id carries, in milliseconds since 1970; undefined for what is no UUIDv7 in lower case. */
export function timeOfRequestId(id: unknown): number | undefined {
  if (typeof id !== 'string' || !UUID_V7.test(id)) return undefined;
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
