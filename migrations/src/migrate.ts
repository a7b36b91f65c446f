import { PawlError } from '@pawl/core';
import { pawlMigrations, readMigrations } from './migration-source.js';
import type { Migration, MigrationSource } from './migration-source.js';
import { describeMigration, pendingMigrations } from './plan.js';
import type { AppliedMigration } from './plan.js';

/** A connection of its own (a `pg.Client`, or one checked out of a pool): locks and transactions belong to it. */
export interface MigrationClient {
  query(sql: string, parameters?: unknown[]): Promise<{ rows: unknown[] }>;
}

export interface MigrateOptions {
  /** How long to wait for another process that migrates this database. Default 60,000 ms. */
  readonly lockTimeoutMs?: number;
}

/** How long one statement of a migration waits for a table that others use, before all of them wait behind it. */
const TABLE_LOCK_TIMEOUT_MS = 10_000;

/** 'pawl' and 'migr' in ASCII. Session level, because each file has a transaction of its own. */
export const MIGRATION_LOCK = '1885435756, 1835624306';

const LEDGER = `
  create schema if not exists pawl;
  create table if not exists pawl.migration (
    source text not null,
    version integer not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp(),
    primary key (source, version)
  )`;

/**
 * Brings a database up to date and answers what was applied. Any number of processes may call this at once: one
 * applies, the others wait and find nothing to do. Each file is applied in a transaction of its own together with its
 * record, so a crash leaves whole files only, and the next call goes on from there.
 *
 * @throws PawlError `migration_lock_timeout`, `migration_failed`, and those of {@link pendingMigrations} and
 * {@link readMigrations}.
 */
export async function migrate(
  client: MigrationClient,
  sources: readonly MigrationSource[] = [pawlMigrations],
  { lockTimeoutMs = 60_000 }: MigrateOptions = {},
): Promise<readonly Migration[]> {
  const files = await readAll(sources);
  await lock(client, lockTimeoutMs);
  try {
    await client.query(LEDGER);
    const pending = pendingMigrations(files, await readApplied(client, sources));
    for (const migration of pending) await apply(client, migration);
    return pending;
  } finally {
    // If the connection broke, the lock is gone with it, and the error that tells so is under way.
    await client.query(`select pg_advisory_unlock(${MIGRATION_LOCK})`).catch(() => undefined);
  }
}

export interface MigrationStatus {
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly Migration[];
}

/** What a database has and what it lacks; changes nothing. Throws as {@link migrate} does. */
export async function migrationStatus(
  client: MigrationClient,
  sources: readonly MigrationSource[] = [pawlMigrations],
): Promise<MigrationStatus> {
  const files = await readAll(sources);
  const { rows } = await client.query(`select to_regclass('pawl.migration') is not null as migrated`);
  const [{ migrated }] = rows as [{ migrated: boolean }];
  const applied = migrated ? await readApplied(client, sources) : [];
  return { applied, pending: pendingMigrations(files, applied) };
}

/** All migrations as one script for a person who applies it with psql: what {@link migrate} does to an empty database. */
export async function migrationSql(sources: readonly MigrationSource[] = [pawlMigrations]): Promise<string> {
  const files = await readAll(sources);
  const parts = files.map((file) => `begin;\n${file.sql.trim()}\n${recordSql(file)}\ncommit;`);
  return [`${LEDGER.trim()};`, ...parts].join('\n\n') + '\n';
}

async function readAll(sources: readonly MigrationSource[]): Promise<readonly Migration[]> {
  return (await Promise.all(sources.map(readMigrations))).flat();
}

async function lock(client: MigrationClient, lockTimeoutMs: number): Promise<void> {
  await client.query(`set lock_timeout = ${Math.trunc(lockTimeoutMs)}`);
  try {
    await client.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== '55P03') throw cause;
    const message = `Another process has been migrating this database for ${lockTimeoutMs} ms. Look for it in pg_locks (locktype advisory), or try again.`;
    throw new PawlError('migration_lock_timeout', message, { lockTimeoutMs }, cause);
  } finally {
    await client.query('reset lock_timeout');
  }
}

async function readApplied(
  client: MigrationClient,
  sources: readonly MigrationSource[],
): Promise<readonly AppliedMigration[]> {
  const { rows } = await client.query(
    `select source, version, name, checksum, applied_at as "appliedAt"
       from pawl.migration where source = any($1) order by source, version`,
    [sources.map(({ source }) => source)],
  );
  return rows as AppliedMigration[];
}

async function apply(client: MigrationClient, migration: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query(`set local lock_timeout = ${TABLE_LOCK_TIMEOUT_MS}`);
    await client.query(migration.sql);
    await client.query(recordSql(migration));
    await client.query('commit');
  } catch (cause) {
    await client.query('rollback').catch(() => undefined); // a broken connection has rolled back; `cause` tells
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Migration ${describeMigration(migration)} failed and was rolled back: ${reason}. Earlier ones stay applied; mend the cause and migrate again.`;
    throw new PawlError(
      'migration_failed',
      message,
      { source: migration.source, version: migration.version },
      cause,
    );
  }
}

/** As text, because a script has no parameters; the file name's pattern and the hash leave nothing to quote but the source. */
function recordSql({ source, version, name, checksum }: Migration): string {
  const values = `'${source.replaceAll("'", "''")}', ${version}, '${name}', '${checksum}'`;
  return `insert into pawl.migration (source, version, name, checksum) values (${values});`;
}
