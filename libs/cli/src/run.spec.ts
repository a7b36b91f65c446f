import { testDatabase } from '@pawl/testing';
import type { TestDatabase } from '@pawl/testing';
import { run } from './run.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ empty: true });
});
afterAll(() => database.drop());

async function pawl(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const said = { out: '', error: '' };
  const output = {
    out: (text: string) => void (said.out += text),
    error: (text: string) => void (said.error += text),
  };
  return { code: await run(args, { DATABASE_URL: database.url }, output), ...said };
}

it('says what is missing, applies it, and says that nothing is', async () => {
  expect(await pawl('status')).toMatchObject({
    code: 3,
    out: expect.stringMatching(/^missing pawl \d{4}-/) as string,
  });
  expect(await pawl('migrate')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^applied pawl \d{4}-/) as string,
  });
  expect(await pawl('migrate')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^up to date: pawl \(.*need --source/) as string,
  });
  expect(await pawl('status')).toMatchObject({
    code: 0,
    out: expect.not.stringContaining('missing') as string,
  });
});

it('migrates the tables of an application that are named, and names what it migrated', async () => {
  const source = 'orders=apps/orders/migrations';
  expect(await pawl('migrate', '--source', source)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^applied orders 0001-orders\nup to date: pawl, orders\n$/) as string,
  });
  expect(await pawl('migrate', '--source', source)).toMatchObject({
    code: 0,
    out: 'up to date: pawl, orders\n',
  });
});

it('prints the schema without a database', async () => {
  const { code, out } = await pawl('sql', '--database', 'postgres://nobody@127.0.0.1:1/none');
  expect([code, out]).toEqual([0, expect.stringContaining('create table if not exists pawl.migration')]);
});

it('explains itself', async () => {
  for (const args of [['--help'], ['-h'], [], ['help']]) {
    expect(await pawl(...args)).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: pawl') as string,
    });
  }
});

it.each([
  [['migrat'], /unknown command: migrat/],
  [['migrate', '--databse', 'x'], /--databse/],
  [['migrate', 'now'], /unexpected: now/],
  [['migrate', '--source', 'orders'], /NAME=DIRECTORY/],
  [['migrate', '--database', ''], /no database/],
])('answers 2 to wrong usage: %j', async (args, message) => {
  expect(await pawl(...args)).toMatchObject({ code: 2, error: expect.stringMatching(message) as string });
});

it('answers 1 with the reason and without the password if it can not connect', async () => {
  const { code, error } = await pawl('migrate', '--database', 'postgres://pawl:s3cret@127.0.0.1:1/none');
  expect([code, error]).toEqual([1, expect.stringMatching(/can not connect.*ECONNREFUSED/)]);
  expect(error).not.toContain('s3cret');
});
