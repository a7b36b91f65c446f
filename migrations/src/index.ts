export { migrate, migrationSql, migrationStatus } from './migrate.js';
export type { MigrateOptions, MigrationClient, MigrationStatus } from './migrate.js';
export { pawlMigrations, readMigrations } from './migration-source.js';
export type { Migration, MigrationSource } from './migration-source.js';
export { describeMigration } from './plan.js';
export { prepareDatabase } from './prepare-database.js';
export type { AppliedMigration } from './plan.js';
