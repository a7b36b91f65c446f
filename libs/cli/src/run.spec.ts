import { testDatabase } from '@pawl/testing';
import type { TestDatabase } from '@pawl/testing';
import pg from 'pg';
import { run } from './run.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase({ empty: true });
});
afterAll(() => database.drop());

const LETTER = '019a0000-0000-7000-8000-00000000000a';

async function sql(text: string): Promise<void> {
  const client = new pg.Client(database.url);
  await client.connect();
  await client.query(text);
  await client.end();
}

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

describe('dead letters', () => {
  const by = ['--actor', 'ann', '--reason', 'mended'];

  it('are listed, shown, and asked for once', async () => {
    await sql(`INSERT INTO pawl.dead_letter (id, origin, stream, message_id, type, version, payload, reason)
      VALUES ('${LETTER}', 'message', 'orders.shipping', 'm', 'orders.noted', 1, '{"n": 1}', 'unknown_type')`);
    const line = (state: string) => ({ code: 0, out: expect.stringMatching(state) as string });
    expect(await pawl('dead-letters', 'list')).toMatchObject(
      line(`^${LETTER}  \\S+  orders.noted  orders.shipping  unknown_type  open\n$`),
    );
    expect(await pawl('dead-letters', 'redrive', LETTER, ...by)).toMatchObject({
      code: 0,
      out: `redrive asked for ${LETTER}\n`,
    });
    expect(await pawl('dead-letters', 'list')).toMatchObject(line('redrive asked for  by ann\n$'));
    expect(await pawl('dead-letters', 'waive', LETTER, ...by)).toMatchObject({
      code: 1,
      error: expect.stringContaining('is not open') as string,
    });
    const { out } = await pawl('dead-letters', 'show', LETTER);
    expect(JSON.parse(out)).toMatchObject({ requested: 'redrive', actorReason: 'mended', payload: { n: 1 } });
  });

  it('that were resolved are listed apart', async () => {
    await sql(`UPDATE pawl.dead_letter SET resolved_at = now(), resolution = 'redriven'`);
    expect(await pawl('dead-letters', 'list')).toMatchObject({ code: 0, out: '' });
    expect(await pawl('dead-letters', 'list', '--resolved')).toMatchObject({
      code: 0,
      out: expect.stringContaining('redriven') as string,
    });
    expect(await pawl('dead-letters', 'show', LETTER.replace('a', 'b'))).toMatchObject({ code: 1 });
  });
});

it('shows streams and begins new incarnations', async () => {
  await pawl('migrate');
  expect(await pawl('messages', 'streams')).toMatchObject({ code: 0, out: '' });
  expect(await pawl('messages', 'incarnations')).toMatchObject({ code: 0, out: '' });
  expect(await pawl('messages', 'new-incarnation', '--all')).toMatchObject({
    code: 0,
    out: 'new incarnation asked for 0 partitions\n',
  });
  const id = '019a0000-0000-7000-8000-000000000001';
  expect(await pawl('messages', 'waive', id, '--actor', 'ann', '--reason', 'a test')).toMatchObject({
    code: 1,
    error: expect.stringContaining('not in the outbox') as string,
  });
});

describe('definitions', () => {
  const check = (version: string) => pawl('definitions', 'check', '--workflow', 'form', '--version', version);

  it('are listed with their runs, and say what is in the way of their going', async () => {
    await pawl('migrate');
    await sql(`INSERT INTO pawl.definition (workflow, version, fingerprint, graph) VALUES ('form', 1, '', '{}'), ('form', 2, '', '{}');
      INSERT INTO pawl.run (id, workflow, key, version, status, state) VALUES
        (gen_random_uuid(), 'form', 'a', 1, 'failed', 'Filed'), (gen_random_uuid(), 'form', 'b', 1, 'completed', 'Done');
      INSERT INTO pawl.parked_event (id, workflow, key, event_id, source, type, type_version, payload, digest)
        VALUES (gen_random_uuid(), 'form', 'b', 'e', 'client', 'form.noted', 1, '{}', '')`);
    const { out } = await pawl('definitions');
    expect(out).toMatch(
      /^form 1 {2}1 unfinished {2}failed 1, completed 1 {2}newest run of \S+\nform 2 {2}0 unfinished {2}no runs\n$/,
    );
    expect(await check('1')).toMatchObject({
      code: 3,
      out: expect.stringMatching(
        /^form version 1 can not go:\n {2}1 failed in Filed, the oldest of \S+\n {2}1 events wait for .*\n$/,
      ) as string,
    });
    expect(await check('2')).toMatchObject({
      code: 3,
      out: expect.stringContaining('newest version') as string,
    });
    expect(await check('3')).toMatchObject({
      code: 1,
      error: expect.stringContaining('ever had version 3') as string,
    });
  });

  it('can go once their runs have ended', async () => {
    await sql(`DELETE FROM pawl.parked_event; UPDATE pawl.run SET status = 'completed'`);
    expect(await check('1')).toMatchObject({ code: 0, out: 'form version 1 can go\n' });
    const asJson = await pawl('definitions', 'check', '--workflow', 'form', '--version', '1', '--json');
    expect(JSON.parse(asJson.out)).toMatchObject({ canGo: true, runs: [], undecidedEvents: 0 });
    const { out } = await pawl('definitions', 'list', '--json');
    expect(JSON.parse(out)).toMatchObject([
      { version: 1, runs: { completed: 2 }, unfinished: 0 },
      { version: 2 },
    ]);
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
  [['messages'], /streams, incarnations, waive, new-incarnation, not \(nothing\)/],
  [['messages', 'waive'], /wants ids/],
  [['messages', 'waive', 'x', '--actor', 'ann', '--reason', 'y'], /not the id of a message/],
  [['messages', 'new-incarnation'], /--to SERVICE or --all/],
  [['definitions', 'drop'], /list, check, not drop/],
  [['definitions', 'check', '--workflow', 'form'], /--workflow NAME and --version N/],
  [['definitions', 'check', '--workflow', 'form', '--version', 'x'], /--version N/],
  [['dead-letters'], /list, show, redrive, waive, not \(nothing\)/],
  [['dead-letters', 'bury'], /not bury/],
  [['dead-letters', 'list', 'x'], /wants no ids/],
  [['dead-letters', 'redrive'], /wants ids/],
  [['dead-letters', 'show', 'x'], /'x' is not the id/],
  [['dead-letters', 'redrive', LETTER], /actor is not a text/],
])('answers 2 to wrong usage: %j', async (args, message) => {
  expect(await pawl(...args)).toMatchObject({ code: 2, error: expect.stringMatching(message) as string });
});

it('answers 1 with the reason and without the password if it can not connect', async () => {
  const { code, error } = await pawl('migrate', '--database', 'postgres://pawl:s3cret@127.0.0.1:1/none');
  expect([code, error]).toEqual([1, expect.stringMatching(/can not connect.*ECONNREFUSED/)]);
  expect(error).not.toContain('s3cret');
});
