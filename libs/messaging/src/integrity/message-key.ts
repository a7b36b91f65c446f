import { isServiceName } from '../route.js';

/** A secret that two or more services share, to know each other's messages by. */
export interface MessageKey {
  /** The name by which both sides know it, `2026-11`: letters, digits, dots, hyphens and underscores, 32 at most. */
  readonly id: string;
  /** `whsec_` and the base64 of 32 to 64 random bytes. */
  readonly secret: string;
  /** Only for what goes to and comes from this service. Default: for all. */
  readonly peer?: string;
}

/** Keys that a service holds at most: one in use and one to rotate to, for each of a number of peers. */
const KEYS_MAX = 64;
const SECRET_BYTES = { least: 32, most: 64 };
/** Of 32 random bytes some 30 differ; of a word that somebody repeated, a few. */
const DISTINCT_BYTES_LEAST = 16;
const ID = /^[\w.-]{1,32}$/;
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;

/**
 * Reads keys from a text, `id=whsec_...` or `id@peer=whsec_...`, with spaces, commas or line ends between them. The first that fits signs, all verify: to
 * rotate, add the new key at the end everywhere, then put it first everywhere, then take the old one out.
 */
export function messageKeys(text: string): MessageKey[] {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  return entries.map((entry) => {
    const [name = '', ...rest] = entry.split('=');
    const [id = '', peer] = name.split('@');
    return { id, secret: rest.join('='), ...(peer === undefined ? {} : { peer }) };
  });
}

/** What is wrong with keys, in words that show no secret; empty if nothing is. */
export function keyProblems(keys: readonly MessageKey[]): string[] {
  const problems = keys.flatMap((key, n) => problemsOf(key).map((problem) => `keys[${n}] ${problem}`));
  if (keys.length === 0 || keys.length > KEYS_MAX) problems.push(`keys are not 1 to ${KEYS_MAX}`);
  const names = keys.map(({ id, peer }) => `${id}@${peer ?? ''}`);
  if (new Set(names).size < names.length) problems.push('keys has an id twice');
  return problems;
}

/** The bytes of a secret that has no problems. */
export function secretBytes(secret: string): Buffer {
  return Buffer.from(SECRET.exec(secret)?.[1] ?? '', 'base64');
}

function problemsOf({ id, secret, peer }: MessageKey): string[] {
  const problems: string[] = [];
  if (!ID.test(id)) problems.push('has no id of letters, digits, dots, hyphens and underscores');
  if (peer !== undefined && !isServiceName(peer)) problems.push('has a peer that is no name of a service');
  const bytes = secretBytes(secret);
  if (bytes.length < SECRET_BYTES.least || bytes.length > SECRET_BYTES.most)
    problems.push(
      `has a secret that is not whsec_ and the base64 of ${SECRET_BYTES.least} to ${SECRET_BYTES.most} bytes: echo "whsec_$(openssl rand -base64 32)"`,
    );
  else if (new Set(bytes).size < DISTINCT_BYTES_LEAST)
    problems.push('has a secret that nobody drew at random: echo "whsec_$(openssl rand -base64 32)"');
  return problems;
}
