import type { TestService } from './service-pair.js';

const TABLES = [
  'pawl.outbox',
  'pawl.outbox_stream',
  'pawl.inbox_stream',
  'pawl.inbox_recent',
  'pawl.incarnation',
  'pawl.loss',
  'effect',
];

const PATIENT = { lockTimeoutMs: 10_000 };

/**
 * Keeps what a service's database holds, and answers how to bring it back, as often as one likes. `noticed: false` leaves no trace of it, like
 * a virtual machine that is set back while it runs. In a transaction that is tried again: whoever works meanwhile may deadlock with it.
 */
export async function backUp({
  dataSource,
  runtime,
}: TestService): Promise<(options?: { noticed: boolean }) => Promise<void>> {
  const kept = new Map<string, unknown>();
  for (const table of TABLES) {
    const [row] = (await dataSource.query(
      `SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') AS rows FROM ${table} t`,
    )) as { rows: unknown }[];
    kept.set(table, row?.rows);
  }
  return async ({ noticed } = { noticed: true }) => {
    await runtime.transactions.run(async (tx) => {
      const { manager } = tx.lend();
      await manager.query(`LOCK TABLE ${TABLES.join(', ')} IN ACCESS EXCLUSIVE MODE`);
      for (const [table, rows] of kept) {
        await manager.query(noticed ? `TRUNCATE ${table}` : `DELETE FROM ${table}`);
        await manager.query(
          `INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1)`,
          [JSON.stringify(rows)],
        );
      }
    }, PATIENT);
  };
}
