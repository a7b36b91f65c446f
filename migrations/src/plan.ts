import { PawlError } from '@pawl/core';
import type { Migration } from './migration-source.js';

export interface AppliedMigration {
  readonly source: string;
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly appliedAt: Date;
}

/**
 * Which migrations a database still needs, given what it records.
 *
 * @throws PawlError `migration_changed` if an applied file was edited, `database_newer` if the database has migrations
 * that these files do not know (an older program must not write to a newer schema), `migration_out_of_order` if a file
 * came to stand before an applied one (two branches were merged).
 */
export function pendingMigrations(
  files: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  const known = new Map(files.map((file) => [key(file), file]));
  const unknown = applied.find((row) => !known.has(key(row)));
  if (unknown) throw newer(unknown);
  const changed = applied.find((row) => known.get(key(row))?.checksum !== row.checksum);
  if (changed) throw edited(changed);
  const done = new Set(applied.map(key));
  const pending = files.filter((file) => !done.has(key(file)));
  const overtaken = pending.find((file) => applied.some((row) => isLater(row, file)));
  if (overtaken) throw outOfOrder(overtaken);
  return pending;
}

function isLater(row: AppliedMigration, file: Migration): boolean {
  return row.source === file.source && row.version > file.version;
}

/** As people read it: `pawl 0001-name`. */
export function describeMigration({
  source,
  version,
  name,
}: Pick<Migration, 'source' | 'version' | 'name'>): string {
  return `${source} ${String(version).padStart(4, '0')}-${name}`;
}

function key({ source, version }: Pick<Migration, 'source' | 'version'>): string {
  return `${source} ${version}`;
}

function newer(row: AppliedMigration): PawlError {
  const message = `The database is newer than this program: it has migration ${describeMigration(row)}. Deploy a program that knows it; migrations are never undone.`;
  return new PawlError('database_newer', message, { source: row.source, version: row.version });
}

function edited(row: AppliedMigration): PawlError {
  const message = `Migration ${describeMigration(row)} was edited after it had been applied. Restore the file as it was and put the change into a new migration.`;
  return new PawlError('migration_changed', message, { source: row.source, version: row.version });
}

function outOfOrder(file: Migration): PawlError {
  const message = `Migration ${describeMigration(file)} comes before one that is applied already. Give it the next free number.`;
  return new PawlError('migration_out_of_order', message, { source: file.source, version: file.version });
}
