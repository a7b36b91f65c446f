import { z } from 'zod';

/** One variable of the environment: how its text becomes a value, and what to tell people who got it wrong. */
export interface Variable<Value = unknown> {
  readonly schema: z.ZodType<Value, string | undefined>;
  /** What to set it to, with an example. */
  readonly remedy: string;
  /** Never shown; sample values are refused in production. An address shows all but its password. */
  readonly secret?: boolean;
  /** Says what is wrong with having set it to this in production. */
  readonly inProduction?: (value: string) => string | undefined;
}

export type Variables = Readonly<Record<string, Variable>>;

export type Config<V extends Variables> = {
  readonly [Name in keyof V]: V[Name] extends Variable<infer Value> ? Value : never;
};

/** A whole number within bounds. */
export function wholeNumber({ least, most }: { least: number; most: number }) {
  return z
    .string()
    .regex(/^\d+$/, 'is not a whole number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `is not within ${least} to ${most}`);
}

/** One of several words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, `is none of ${words.join(', ')}`);
}

/** An address with one of these schemes, `postgres` for one, whose parts can be decoded. */
export function address(...schemes: readonly string[]) {
  const problem = `is not an address that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  return z
    .string()
    .refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)), problem)
    .refine((text) => !URL.canParse(text) || isDecodable(new URL(text)), NOT_ENCODED);
}

const NOT_ENCODED =
  'holds a % that begins no escape: percent-encode what is special in its user name, password and path (% is %25)';

/** What drivers decode, and fail to if it is not encoded. */
function isDecodable({ username, password, pathname }: URL): boolean {
  try {
    decodeURIComponent(`${username}:${password}${pathname}`);
    return true;
  } catch {
    return false; // that is the answer
  }
}

/** A text of a certain form. */
export function text(form: RegExp, problem: string) {
  return z.string().regex(form, problem);
}
