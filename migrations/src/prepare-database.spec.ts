import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase, type TestDatabase } from '@pawl/testing';
import pg from 'pg';
import { migrationStatus } from './migrate.js';
import type { MigrationSource } from './migration-source.js';
import { prepareDatabase } from './prepare-database.js';

let database: TestDatabase;
let client: pg.Client;
let orders: MigrationSource;

beforeEach(async () => {
  database = await testDatabase({ empty: true });
  client = new pg.Client(database.url);
  await client.connect();
  orders = { source: 'orders', directory: await mkdtemp(join(tmpdir(), 'pawl-sql-')) };
  await writeFile(join(orders.directory, '0001-parcel.sql'), 'create table parcel (id int);');
});

afterEach(async () => {
  await client.end();
  await database.drop();
  await rm(orders.directory, { recursive: true });
});

const prepare = async (mayMigrate: boolean) => prepareDatabase(client, [orders], { mayMigrate });

it('brings a database up to date where that is allowed', async () => {
  await prepare(true);
  expect((await migrationStatus(client, [orders])).pending).toEqual([]);
});

it('refuses one that is behind where it is not, and names what is missing', async () => {
  const problems = ['orders 0001-parcel is missing'];
  await expect(prepare(false)).rejects.toMatchObject({ code: 'database_behind', problems });
  expect((await migrationStatus(client, [orders])).pending).toHaveLength(1);
});

it('lets one pass that is newer, as after a rollback of the program', async () => {
  await prepare(true);
  await rm(join(orders.directory, '0001-parcel.sql'));
  await prepare(false);
});
