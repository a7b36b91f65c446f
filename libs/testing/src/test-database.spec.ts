import pg from 'pg';
import { fastSettings, startPostgres } from './embedded-postgres.js';
import { testDatabase } from './test-database.js';

it('makes databases that know nothing of each other, with the pawl schema', async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
  const [first, second] = [new pg.Client(one.url), new pg.Client(two.url)];
  await Promise.all([first.connect(), second.connect()]);
  await first.query('create table mine (n int)');
  const found = await second.query(
    `select to_regclass('mine') as mine, to_regclass('pawl.migration') as ledger`,
  );
  expect(found.rows).toEqual([{ mine: null, ledger: 'pawl.migration' }]);
  await Promise.all([first.end(), second.end()]);
  await Promise.all([one.drop(), two.drop()]);
});

it('migrates by itself on a server that has no template, as that of an application', async () => {
  const server = await startPostgres({ settings: fastSettings });
  const before = process.env['PAWL_TEST_POSTGRES_URL'];
  process.env['PAWL_TEST_POSTGRES_URL'] = server.url();
  try {
    const { url } = await testDatabase();
    const client = new pg.Client(url);
    await client.connect();
    const found = await client.query(`select to_regclass('pawl.run')::text as runs`);
    await client.end();
    expect(found.rows).toEqual([{ runs: 'pawl.run' }]);
  } finally {
    process.env['PAWL_TEST_POSTGRES_URL'] = before;
    await server.stop();
  }
});
