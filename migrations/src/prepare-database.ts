import { PawlError, RefusedToBootError } from '@pawl/core';
import { migrate, type MigrationClient, migrationStatus } from './migrate.js';
import type { Migration, MigrationSource } from './migration-source.js';
import { describeMigration } from './plan.js';

/**
 * What a service does with its database before it uses it: brings it up to date if it may, and else makes sure that it is. A newer database is
 * let pass then, because migrations only add: that is how a service is rolled back, or restarts in the middle of a deploy.
 *
 * @throws RefusedToBootError `database_behind` with every migration that is missing
 * @throws PawlError what {@link migrate} throws
 */
export async function prepareDatabase(
  client: MigrationClient,
  sources: readonly MigrationSource[],
  { mayMigrate }: { readonly mayMigrate: boolean },
): Promise<void> {
  if (mayMigrate) {
    await migrate(client, sources);
    return;
  }
  const missing = await missingMigrations(client, sources);
  if (missing.length > 0) throw behind(missing);
}

async function missingMigrations(
  client: MigrationClient,
  sources: readonly MigrationSource[],
): Promise<readonly Migration[]> {
  try {
    return (await migrationStatus(client, sources)).pending;
  } catch (error) {
    if (error instanceof PawlError && error.code === 'database_newer') return [];
    throw error;
  }
}

function behind(missing: readonly Migration[]): RefusedToBootError {
  return new RefusedToBootError(
    'database_behind',
    'The database is behind this program. Run `pawl migrate` before starting it:',
    missing.map((migration) => `${describeMigration(migration)} is missing`),
  );
}
