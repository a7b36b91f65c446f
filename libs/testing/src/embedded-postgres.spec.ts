import pg from 'pg';
import { fastSettings, startPostgres } from './embedded-postgres.js';
import type { PostgresServer } from './embedded-postgres.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ settings: fastSettings });
});
afterAll(() => server.stop());

async function ask(sql: string, url = server.url()): Promise<Record<string, unknown>> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return ((await client.query(sql)).rows as Record<string, unknown>[])[0] ?? {};
  } finally {
    await client.end();
  }
}

it('listens on loopback only, with a password, and is durable unless told otherwise', async () => {
  expect(await ask('show listen_addresses')).toEqual({ listen_addresses: '127.0.0.1' });
  expect(await ask('show fsync')).toEqual({ fsync: 'off' });
  const withoutPassword = server.url().replace(/:[^:@/]+@/, ':wrong@');
  await expect(ask('select 1', withoutPassword)).rejects.toMatchObject({ code: '28P01' });
});

it.each(['fast', 'immediate', 'kill'] as const)('keeps what was committed over %s', async (mode) => {
  const url = await server.createDatabase(`kept_${mode}`);
  await ask('create table kept as select 1 as n', url);
  if (mode === 'kill') {
    await server.kill();
    await server.start();
  } else {
    await server.restart({ mode });
  }
  expect(await ask('select n from kept', url)).toEqual({ n: 1 });
});
