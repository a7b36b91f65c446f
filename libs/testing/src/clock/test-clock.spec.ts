import pg from 'pg';
import { type TestDatabase, testDatabase } from '../test-database.js';
import { TestClock } from './test-clock.js';

const MORNING = new Date('2026-03-01T08:00:00Z');

let database: TestDatabase;
let clock: TestClock;
let session: pg.Client;

beforeAll(async () => {
  database = await testDatabase();
  clock = await TestClock.install(database.url, { at: MORNING });
  session = new pg.Client({ connectionString: database.url });
  await session.connect();
});

afterAll(async () => {
  await session?.end();
  await database?.drop();
});

const ask = async (sql: string): Promise<Date> =>
  (await session.query<{ at: Date }>(`select ${sql} as at`)).rows[0]!.at;

it('stands still, whoever asks and however', async () => {
  for (const asked of ['clock_timestamp()', 'now()', 'statement_timestamp()', 'transaction_timestamp()'])
    expect(await ask(asked)).toEqual(MORNING);
});

it('passes for all sessions at once, also within a transaction', async () => {
  await session.query('begin');
  expect(await ask('clock_timestamp()')).toEqual(MORNING);
  const later = await clock.advance('90m');
  expect(later).toEqual(new Date('2026-03-01T09:30:00Z'));
  expect(await ask('clock_timestamp()')).toEqual(later);
  await session.query('commit');
});

it('is what columns default to, old ones and new ones', async () => {
  await session.query('create table diary (day timestamptz not null default now(), line text)');
  const { rows } = await session.query(`insert into diary (line) values ('x') returning day`);
  expect(rows).toEqual([{ day: await clock.now() }]);
  const defaults = await session.query<{ text: string }>(
    `select pg_get_expr(adbin, adrelid) as text from pg_attrdef where pg_get_expr(adbin, adrelid) ~ '_timestamp\\(|now\\('`,
  );
  expect(new Set(defaults.rows.map(({ text }) => text))).toEqual(new Set(['clock_timestamp()', 'now()']));
  const real = `select count(*)::int as n from pg_depend d join pg_proc p on p.oid = d.refobjid and d.refclassid = 'pg_proc'::regclass
    where d.classid = 'pg_attrdef'::regclass and p.pronamespace = 'pg_catalog'::regnamespace and p.proname ~ 'timestamp|now'`;
  expect((await session.query(real)).rows).toEqual([{ n: 0 }]);
});

it('makes tables where they are always made', async () => {
  await session.query('create table plain (id int)');
  const { rows } = await session.query(`select schemaname from pg_tables where tablename = 'plain'`);
  expect(rows).toEqual([{ schemaname: 'public' }]);
});

it('does not go back', async () => {
  await expect(clock.set(MORNING)).rejects.toMatchObject({ code: 'test_clock_goes_forward' });
  await expect(clock.advance('-1m')).rejects.toMatchObject({ code: 'test_clock_goes_forward' });
});

it('goes on where it stands when it is installed again', async () => {
  const at = await clock.now();
  expect(await (await TestClock.install(database.url)).now()).toEqual(at);
});
