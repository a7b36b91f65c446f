import { migrate } from '@pawl/migrations';
import pg from 'pg';

/** Makes the schema `pawl` in the database of this address. */
export async function migrateAt(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await migrate(client);
  } finally {
    await client.end();
  }
}
