import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase } from '@pawl/testing';
import type { TestDatabase } from '@pawl/testing';
import pg from 'pg';
import { MIGRATION_LOCK, migrate, migrationSql, migrationStatus } from './migrate.js';
import type { MigrationSource } from './migration-source.js';

let database: TestDatabase;
let client: pg.Client;
let orders: MigrationSource;

beforeEach(async () => {
  database = await testDatabase({ empty: true });
  client = await connect();
  orders = { source: 'orders', directory: await mkdtemp(join(tmpdir(), 'pawl-sql-')) };
  await write('0001-parcel.sql', 'create table parcel (id int);');
  await write('0002-weight.sql', 'alter table parcel add weight int;');
});
afterEach(async () => {
  await client.end();
  await database.drop();
  await rm(orders.directory, { recursive: true });
});

it('applies what is missing, in order, once', async () => {
  expect(await apply()).toEqual(['parcel', 'weight']);
  await write('0004-colour.sql', 'alter table parcel add colour text;');
  expect((await migrationStatus(client, [orders])).pending.map(({ name }) => name)).toEqual(['colour']);
  expect(await apply()).toEqual(['colour']);
  expect(await apply()).toEqual([]);
  const { applied, pending } = await migrationStatus(client, [orders]);
  expect([applied.map(({ version }) => version), pending]).toEqual([[1, 2, 4], []]);
});

it('applies the schema of pawl itself, beside those of an application', async () => {
  expect((await migrate(client)).length).toBeGreaterThan(0);
  expect(await apply()).toEqual(['parcel', 'weight']);
  expect(await migrate(client)).toEqual([]);
});

it('applies each file once when five processes come at the same time', async () => {
  await write('0003-slow.sql', 'select pg_sleep(0.1);');
  const clients = await Promise.all(Array.from({ length: 5 }, connect));
  const counts = await Promise.all(clients.map(async (each) => (await migrate(each, [orders])).length));
  await Promise.all(clients.map((each) => each.end()));
  expect(counts.toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 3]);
});

it('waits for another process only so long', async () => {
  const other = await connect();
  await other.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
  const waiting = migrate(client, [orders], { lockTimeoutMs: 50 });
  await expect(waiting).rejects.toMatchObject({ code: 'migration_lock_timeout' });
  await other.end();
  expect(await apply()).toEqual(['parcel', 'weight']);
});

it('keeps whole files only when one of them fails', async () => {
  await write('0003-half.sql', 'create table half (id int); select 1 / 0;');
  await expect(apply()).rejects.toMatchObject({ code: 'migration_failed', details: { version: 3 } });
  const { rows } = await client.query(
    `select to_regclass('parcel') is not null as parcel, to_regclass('half') as half`,
  );
  expect(rows).toEqual([{ parcel: true, half: null }]);
  await write('0003-half.sql', 'create table half (id int);');
  expect(await apply()).toEqual(['half']);
});

it('refuses a file that was edited after it had been applied', async () => {
  await apply();
  await write('0001-parcel.sql', 'create table parcel (id bigint);');
  await expect(apply()).rejects.toMatchObject({ code: 'migration_changed' });
});

it('takes a file with other line ends for the same', async () => {
  await write('0001-parcel.sql', 'create table parcel (\n id int);');
  await apply();
  await write('0001-parcel.sql', 'create table parcel (\r\n id int);');
  expect(await apply()).toEqual([]);
});

it('refuses a database that is newer than the program', async () => {
  await apply();
  await rm(join(orders.directory, '0002-weight.sql'));
  await expect(apply()).rejects.toMatchObject({ code: 'database_newer', details: { version: 2 } });
});

it('refuses a file that came to stand before an applied one', async () => {
  await write('0004-colour.sql', 'alter table parcel add colour text;');
  await apply();
  await write('0003-late.sql', 'select 1;');
  await expect(apply()).rejects.toMatchObject({ code: 'migration_out_of_order' });
});

it.each(['3-short.sql', '0002-double.sql', '0003-Upper.sql'])('refuses the file name %s', async (file) => {
  await write(file, 'select 1;');
  await expect(apply()).rejects.toMatchObject({ code: 'migration_source_invalid' });
});

it('refuses a directory that is not there', async () => {
  const nowhere = { source: 'orders', directory: join(orders.directory, 'nowhere') };
  await expect(migrate(client, [nowhere])).rejects.toMatchObject({ code: 'migration_source_invalid' });
});

it('writes a script that does the same', async () => {
  await client.query(await migrationSql([orders]));
  expect(await apply()).toEqual([]);
});

async function apply(): Promise<string[]> {
  return (await migrate(client, [orders])).map(({ name }) => name);
}

async function write(file: string, sql: string): Promise<void> {
  await writeFile(join(orders.directory, file), sql);
}

async function connect(): Promise<pg.Client> {
  const made = new pg.Client(database.url);
  await made.connect();
  return made;
}
