import type { Archive } from './archive.js';
import type { EffectCall, EffectLedger } from './effect-ledger.js';

/** What became of runs, by key. */
export interface Account {
  /** Effects of transactional steps, in the order in which they were written. */
  readonly effects: Readonly<Record<string, readonly string[]>>;
  /** Distinct idempotency keys of the external step. */
  readonly payments: Readonly<Record<string, number>>;
  readonly paidTooOften: readonly string[];
  /** Messages that have arrived at the archive. */
  readonly told: Readonly<Record<string, readonly string[]>>;
  /** Runs that somebody still holds, or is to take. */
  readonly claimed: readonly string[];
  readonly lost: readonly unknown[];
}

/** The account of runs that have gone through: each effect once, nothing left. */
export function eachOnce(keys: readonly string[]): Account {
  const each = <T>(value: T): Record<string, T> => Object.fromEntries(keys.map((key) => [key, value]));
  return {
    effects: each(['reserve', 'finish']),
    payments: each(1),
    paidTooOften: [],
    told: each(['errand.finished', 'errand.ordered']),
    claimed: [],
    lost: [],
  };
}

/**
 * Reads what became of runs from the tables of the application, the ledger and the archive, none of which is Pawl's. An external effect may be called
 * `callsMax` times under its one idempotency key.
 */
export async function readAccount(
  { rows, ledger, archive }: Books,
  keys: readonly string[],
  { callsMax = 2 }: { readonly callsMax?: number },
): Promise<Account> {
  const effects = await rows<{ key: string; steps: string[] }>(
    `select key, array_agg(step order by id) as steps from app.effect where key = any ($1) group by key`,
    [keys],
  );
  const payments = keys.map((key) => [key, ledger.callsOf(key)] as const);
  const claimed = `select key from pawl.run where key = any ($1) and (lease_until is not null or due_at is not null)`;
  return {
    effects: Object.fromEntries(effects.map(({ key, steps }) => [key, steps])),
    payments: Object.fromEntries(payments.map(([key, calls]) => [key, distinctKeys(calls)])),
    paidTooOften: payments.filter(([, calls]) => calls.length > callsMax).map(([key]) => key),
    told: await archive.told(keys),
    claimed: (await rows<{ key: string }>(claimed, [keys])).map(({ key }) => key),
    lost: await rows('select reason from pawl.dead_letter union all select reason from pawl.loss'),
  };
}

/** Where it is looked up. */
interface Books {
  readonly ledger: EffectLedger;
  readonly archive: Archive;
  readonly rows: <Row>(sql: string, values?: unknown[]) => Promise<Row[]>;
}

function distinctKeys(calls: readonly EffectCall[]): number {
  return new Set(calls.map(({ idempotencyKey }) => idempotencyKey)).size;
}
