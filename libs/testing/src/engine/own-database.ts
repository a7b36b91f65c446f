import { fastSettings, startPostgres } from '../embedded-postgres.js';
import { migrateAt } from '../migrate-at.js';
import { testDatabase } from '../test-database.js';

export interface OwnDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A fresh database with Pawl's schema: on the server of the test run (`PAWL_TEST_POSTGRES_URL`), or on one of its own that ends with it. */
export async function ownDatabase(): Promise<OwnDatabase> {
  if (process.env['PAWL_TEST_POSTGRES_URL'] !== undefined) return testDatabase();
  const server = await startPostgres({ settings: fastSettings });
  try {
    const url = await server.createDatabase('test');
    await migrateAt(url);
    return { url, drop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
