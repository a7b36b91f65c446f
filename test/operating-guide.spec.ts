import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type TestDatabase, testDatabase } from '@pawl/testing';
import pg from 'pg';

const GUIDE = readFileSync(resolve(import.meta.dirname, '../docs/operating.md'), 'utf8');
const STATEMENTS = [...GUIDE.matchAll(/^```sql\n([^]*?)^```$/gm)].map(([, sql = '']) => sql);

describe('the operating guide', () => {
  let database: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    database = await testDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
  });

  afterAll(async () => {
    await client?.end();
    await database?.drop();
  });

  it('has statements', () => expect(STATEMENTS.length).toBeGreaterThan(5));

  it.each(STATEMENTS)('gives SQL that runs on the schema: %s', async (sql) => {
    await expect(client.query(sql)).resolves.toMatchObject({ rows: [] });
  });
});
