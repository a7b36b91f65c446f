import pg from 'pg';
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
