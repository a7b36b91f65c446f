import { PawlError } from '@pawl/core';

/** Largest payload of a message: bytes of its JSON in UTF-8. Larger content belongs in a store of its own, with its address in the message. */
export const PAYLOAD_BYTES_MAX = 256 * 1024;

/** Deepest nesting of objects and arrays in a payload. */
export const PAYLOAD_DEPTH_MAX = 32;

const UNSTORABLE_TEXT = /\0|\p{Surrogate}/u;

/**
 * Everything that keeps a value from being a payload, in words; empty if nothing does. A jsonb column refuses NUL characters
 * and lone surrogates, and a `__proto__` key is somebody's attempt to be clever.
 */
export function payloadProblems(payload: unknown): string[] {
  const problem = structureProblem(payload, '', 0);
  if (problem !== undefined) return [problem];
  const bytes = Buffer.byteLength(JSON.stringify(payload) ?? '');
  return bytes <= PAYLOAD_BYTES_MAX ? [] : [`is ${bytes} bytes of JSON, more than ${PAYLOAD_BYTES_MAX}`];
}

/**
 * The JSON text of a payload that is about to be stored.
 * @throws PawlError `payload_too_large`: put the content elsewhere and send its address.
 * @throws PawlError `payload_invalid`: it can not be stored as jsonb or is not plain JSON.
 */
export function payloadJson(payload: unknown, whose: string): string {
  const problem = structureProblem(payload, '', 0);
  if (problem !== undefined) {
    throw new PawlError('payload_invalid', `The payload of ${whose} ${problem}.`, { whose, problem });
  }
  const json = JSON.stringify(payload);
  const bytes = Buffer.byteLength(json);
  if (bytes > PAYLOAD_BYTES_MAX) {
    throw new PawlError(
      'payload_too_large',
      `The payload of ${whose} is ${bytes} bytes of JSON, more than ${PAYLOAD_BYTES_MAX}: store the content and send its address.`,
      { whose, bytes, bytesMax: PAYLOAD_BYTES_MAX },
    );
  }
  return json;
}

function structureProblem(value: unknown, path: string, depth: number): string | undefined {
  if (typeof value === 'string') return textProblem(value, path);
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : `has no finite number at ${at(path)}`;
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value !== 'object') return `has a ${typeof value} at ${at(path)}, which JSON does not know`;
  if (depth >= PAYLOAD_DEPTH_MAX) return `is nested deeper than ${PAYLOAD_DEPTH_MAX}`;
  if (Array.isArray(value)) return firstProblem(value.entries(), path, depth);
  return firstProblem(Object.entries(value), path, depth, true);
}

function firstProblem(
  members: Iterable<[string | number, unknown]>,
  path: string,
  depth: number,
  ofObject = false,
): string | undefined {
  for (const [key, member] of members) {
    const where = `${path}/${key}`;
    if (key === '__proto__') return `has a __proto__ key at ${at(path)}`;
    if (ofObject && member === undefined) continue; // JSON drops it
    const problem =
      (typeof key === 'string' ? textProblem(key, path) : undefined) ??
      structureProblem(member instanceof Date ? member.toJSON() : member, where, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function textProblem(text: string, path: string): string | undefined {
  if (!UNSTORABLE_TEXT.test(text)) return undefined;
  return `has a NUL character or half a surrogate pair at ${at(path)}, which PostgreSQL can not store`;
}

function at(path: string): string {
  return path === '' ? 'its root' : path.slice(0, 200);
}
