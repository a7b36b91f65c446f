import { type Duty, statement, type Transactions } from '@pawl/core';

/**
 * Removes requests and tombstones whose time has left the window, a bounded batch per pass, and notes up to when: no id of that time is
 * ever accepted again. It waits another minute, so that no transaction is left that has found the id inside.
 */
export class ExchangePruner implements Duty {
  readonly name = 'exchange-pruner';
  readonly everyMs: number;

  constructor(
    private readonly transactions: Transactions,
    private readonly options: {
      readonly windowMs: number;
      readonly graceMs?: number;
      readonly everyMs?: number;
      readonly batchMax?: number;
    },
  ) {
    this.everyMs = options.everyMs ?? 60_000;
  }

  async pass(): Promise<number> {
    const { windowMs, graceMs = GRACE_MS, batchMax = 1_000 } = this.options;
    const [row] = await this.transactions.run((tx) =>
      tx.query<{ pruned: number }>(PRUNE, [windowMs + graceMs, batchMax]),
    );
    return row?.pruned ?? 0;
  }
}

/** Longer than a transaction of the exchange can last. */
const GRACE_MS = 60_000;

// An id sorts by the time that it carries. Rows that somebody holds are left for the next pass.
const PRUNE = statement(
  'exchange_prune',
  `with line as (
     select (extract(epoch from clock_timestamp()) * 1000)::bigint - $1::bigint as ms
   ), old as (
     select id from pawl.exchange
     where id < rpad(lpad(to_hex((select ms from line)), 12, '0'), 32, '0')::uuid
     order by id limit $2 for update skip locked
   ), pruned as (
     delete from pawl.exchange where id in (select id from old) returning 1
   ), noted as (
     update pawl.exchange_horizon h set before_ms = line.ms from line
     where h.before_ms < line.ms and exists (select from pruned)
   )
   select count(*)::int as pruned from pruned`,
);
