import pg from 'pg';
import { PostgresProxy } from './postgres-proxy.js';
import { testDatabase, type TestDatabase } from './test-database.js';
import { until } from './until.js';

let database: TestDatabase;
let proxy: PostgresProxy;
let direct: pg.Client;

beforeAll(async () => {
  database = await testDatabase({ empty: true });
  proxy = await PostgresProxy.start(database.url);
  direct = new pg.Client(database.url);
  await direct.connect();
  await direct.query('create table note (text text)');
});
afterAll(async () => {
  await direct.end();
  await proxy.close();
  await database.drop();
});

async function client(): Promise<pg.Client> {
  const one = new pg.Client(proxy.url(database.url));
  one.on('error', () => undefined);
  await one.connect();
  return one;
}

async function writing(text: string): Promise<{ one: pg.Client; outcome: Promise<string> }> {
  const one = await client();
  await one.query('begin');
  await one.query({ name: 'write_note', text: 'insert into note values ($1)', values: [text] });
  const outcome = one.query('COMMIT').then(
    () => 'committed',
    () => 'lost',
  );
  return { one, outcome };
}

const notes = async (text: string) =>
  (await direct.query('select 1 from note where text = $1', [text])).rowCount;

it('passes everything on', async () => {
  const one = await client();
  expect((await one.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
  await one.end();
});

it('loses the reply to a COMMIT that the server has executed', async () => {
  const commit = proxy.catchCommit('write_note');
  const { outcome } = await writing('reply lost');
  await commit.caught;
  commit.cutClient();
  expect(await outcome).toBe('lost');
  expect(await notes('reply lost')).toBe(0);
  await commit.deliver();
  expect(await notes('reply lost')).toBe(1);
});

it('loses a COMMIT before the server has it', async () => {
  const commit = proxy.catchCommit('write_note');
  const { outcome } = await writing('never arrived');
  await commit.caught;
  commit.lose();
  expect(await outcome).toBe('lost');
  await until(() => proxy.connections === 0);
  expect(await notes('never arrived')).toBe(0);
});

it('holds a COMMIT back and lets others pass', async () => {
  const commit = proxy.catchCommit('write_note');
  const { one, outcome } = await writing('held');
  await commit.caught;
  const other = await client();
  await other.query('begin');
  await other.query('COMMIT');
  await commit.deliver();
  expect(await outcome).toBe('committed');
  expect(await notes('held')).toBe(1);
  await Promise.all([one.end(), other.end()]);
});

it('is silent as a black hole, and later goes on', async () => {
  const one = await client();
  proxy.blackhole();
  let answered = false;
  const answer = one.query('select 1').then(() => (answered = true));
  await direct.query('select 1');
  expect(answered).toBe(false);
  proxy.pass();
  await answer;
  await one.end();
});

it('resets connections', async () => {
  const one = await client();
  const ended = new Promise<void>((resolve) => one.on('end', resolve));
  proxy.reset();
  await ended;
  await until(() => proxy.connections === 0);
});
