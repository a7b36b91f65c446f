/** Something that has to have happened a known number of times, and where it is counted. */
export interface Effect {
  readonly name: string;
  /** The table or file of the application that is counted. Never one of Pawl's. */
  readonly countedIn: string;
  /** What `amount` is: units, cents. Undefined where only the existence counts. */
  readonly unit?: string;
  /** From the seed or the data alone: each key, once, and its amount. */
  readonly expected: ReadonlyMap<string, number>;
  /** As counted, in any order. */
  readonly found: readonly Found[];
}

export interface Found {
  readonly key: string;
  readonly amount: number;
}

export interface ReconciledRow {
  readonly name: string;
  readonly countedIn: string;
  readonly expected: number;
  readonly found: number;
  /** Found beyond the first of its key. */
  readonly duplicates: number;
  /** Expected, never found. */
  readonly losses: number;
  /** Found, but not expected at all, or with another amount. */
  readonly wrong: number;
  readonly amounts: { readonly unit: string; readonly expected: number; readonly found: number } | undefined;
  /** A few keys that do not agree, for people. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 3;

/** Compares what had to happen with what did, key by key. Sums are shown too, but they alone would hide a swap. */
export function reconcile({ name, countedIn, unit, expected, found }: Effect): ReconciledRow {
  const times = countKeys(found);
  const repeated = [...times].filter(([, count]) => count > 1);
  const losses = [...expected.keys()].filter((key) => !times.has(key));
  const wrong = found.filter(({ key, amount }) => expected.get(key) !== amount);
  const examples = [
    ...repeated.map(([key, count]) => `${key} ${count} times`),
    ...losses.map((key) => `${key} missing`),
    ...wrong.map(({ key, amount }) => `${key} is ${amount}, not ${expected.get(key) ?? 'expected'}`),
  ];
  return {
    name,
    countedIn,
    expected: expected.size,
    found: found.length,
    duplicates: found.length - times.size,
    losses: losses.length,
    wrong: wrong.length,
    amounts: unit === undefined ? undefined : { unit, expected: sum(expected.values()), found: sumOf(found) },
    examples: examples.slice(0, EXAMPLES_MAX),
  };
}

export function agrees({ expected, found, duplicates, losses, wrong, amounts }: ReconciledRow): boolean {
  const sameAmounts = amounts === undefined || amounts.expected === amounts.found;
  return expected === found && duplicates === 0 && losses === 0 && wrong === 0 && sameAmounts;
}

function countKeys(found: readonly Found[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { key } of found) times.set(key, (times.get(key) ?? 0) + 1);
  return times;
}

function sumOf(found: readonly Found[]): number {
  return sum(found.map(({ amount }) => amount));
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}
