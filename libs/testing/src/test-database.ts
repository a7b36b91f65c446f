import { randomBytes } from 'node:crypto';
import { PawlError } from '@pawl/core';
import pg from 'pg';
import { migrateAt } from './migrate-at.js';

/** The database with the migrated `pawl` schema from which every spec's own is copied. */
export const TEMPLATE = 'pawl_template';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Removes it, ending whatever is still connected. */
  drop(): Promise<void>;
}

/**
 * A fresh database on the server that `PAWL_TEST_POSTGRES_URL` names (its user may make databases), with the `pawl` schema (`empty: true`: with nothing). Each spec has
 * its own, so specs run in any order and side by side.
 */
export async function testDatabase({ empty = false }: { empty?: boolean } = {}): Promise<TestDatabase> {
  const name = `t_${randomBytes(8).toString('hex')}`;
  const url = new URL(testPostgresUrl());
  url.pathname = `/${name}`;
  const copied = !empty && (await hasTemplate());
  await administer(`create database ${name} template ${copied ? TEMPLATE : 'template0'}`);
  if (!empty && !copied) await migrateAt(url.href);
  const drop = async () => {
    await administer(`drop database if exists ${name} with (force)`);
  };
  return { url: url.href, name, drop };
}

/** The superuser's address on the server of this test run. */
export function testPostgresUrl(): string {
  const url = process.env['PAWL_TEST_POSTGRES_URL'];
  if (url) return url;
  throw new PawlError(
    'no_test_server',
    'No PostgreSQL for tests: set PAWL_TEST_POSTGRES_URL to the address of one, which may be that of startPostgres()',
  );
}

/** The server of another test run has none; there each database is migrated. */
async function hasTemplate(): Promise<boolean> {
  return (await administer(`select from pg_database where datname = '${TEMPLATE}'`)) > 0;
}

/** Answers the number of rows. */
async function administer(sql: string): Promise<number> {
  const client = new pg.Client(testPostgresUrl());
  await client.connect();
  try {
    return (await client.query(sql)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
