import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PawlError } from '@pawl/core';

const FILE_NAME = /^(\d{4})-([a-z0-9-]+)\.sql$/;

/** A directory of `NNNN-name.sql` files, each number once, and the name under which they are recorded. */
export interface MigrationSource {
  /** `pawl` for the engine's schema, the service's name for its own tables. */
  readonly source: string;
  readonly directory: string;
}

export interface Migration {
  readonly source: string;
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text with line ends normalised, so that a checkout on Windows is the same migration. */
  readonly checksum: string;
}

/** The engine's and the messaging library's own tables, schema `pawl`. */
export const pawlMigrations: MigrationSource = {
  source: 'pawl',
  directory: fileURLToPath(new URL('../sql', import.meta.url)),
};

/**
 * Reads the migrations of a source, in order.
 *
 * @throws PawlError `migration_source_invalid` for a directory that is not there, a file name that is not
 * NNNN-name.sql, or a number used twice.
 */
export async function readMigrations({ source, directory }: MigrationSource): Promise<readonly Migration[]> {
  const files = (await list(source, directory)).filter((file) => file.endsWith('.sql')).sort();
  const migrations = await Promise.all(files.map((file) => readMigration(source, directory, file)));
  const twice = migrations.find(({ version }, index) => migrations[index + 1]?.version === version);
  if (twice) throw invalid(source, `number ${twice.version} is used twice`);
  return migrations;
}

async function list(source: string, directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    const message = `Migrations of "${source}": the directory ${directory} can not be read. Correct its name.`;
    throw new PawlError('migration_source_invalid', message, { source, directory }, cause);
  }
}

async function readMigration(source: string, directory: string, file: string): Promise<Migration> {
  const [, number, name] = FILE_NAME.exec(file) ?? [];
  if (name === undefined) throw invalid(source, `${file} is not named NNNN-lower-case-name.sql`);
  const sql = (await readFile(join(directory, file), 'utf8')).replaceAll('\r\n', '\n');
  const checksum = createHash('sha256').update(sql).digest('hex');
  return { source, version: Number(number), name, sql, checksum };
}

function invalid(source: string, problem: string): PawlError {
  return new PawlError('migration_source_invalid', `Migrations of "${source}": ${problem}. Rename it.`, {
    source,
  });
}
