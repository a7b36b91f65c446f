import { randomBytes } from 'node:crypto';
import { PawlError } from '@pawl/core';
import pg from 'pg';

/** The database with the migrated `pawl` schema from which every spec's own is copied. */
export const TEMPLATE = 'pawl_template';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Removes it, ending whatever is still connected. */
  drop(): Promise<void>;
}

/**
 * A fresh database on the server of this test run, with the `pawl` schema (`empty: true`: with nothing). Each spec has
 * its own, so specs run in any order and side by side.
 */
export async function testDatabase({ empty = false }: { empty?: boolean } = {}): Promise<TestDatabase> {
  const name = `t_${randomBytes(8).toString('hex')}`;
  await administer(`create database ${name} template ${empty ? 'template0' : TEMPLATE}`);
  const url = new URL(testPostgresUrl());
  url.pathname = `/${name}`;
  return { url: url.href, name, drop: () => administer(`drop database if exists ${name} with (force)`) };
}

/** The superuser's address on the server of this test run. */
export function testPostgresUrl(): string {
  const url = process.env['PAWL_TEST_POSTGRES_URL'];
  if (url) return url;
  throw new PawlError(
    'no_test_server',
    'No PostgreSQL for tests: run the spec with npm test, which starts one',
  );
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client(testPostgresUrl());
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
