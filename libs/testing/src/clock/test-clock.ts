import { type Duration, PawlError, toMilliseconds } from '@pawl/core';
import pg from 'pg';

const SCHEMA = `
  create schema if not exists pawl_test_clock;
  create table if not exists pawl_test_clock.clock (one boolean primary key default true check (one), at timestamptz not null);
  create or replace function pawl_test_clock.clock_timestamp() returns timestamptz language sql volatile parallel safe
    as 'select at from pawl_test_clock.clock';
  create or replace function pawl_test_clock.now() returns timestamptz language sql stable parallel safe
    as 'select at from pawl_test_clock.clock';
  create or replace function pawl_test_clock.statement_timestamp() returns timestamptz language sql stable parallel safe
    as 'select at from pawl_test_clock.clock';
  create or replace function pawl_test_clock.transaction_timestamp() returns timestamptz language sql stable parallel safe
    as 'select at from pawl_test_clock.clock'`;

/** What of a new session is looked up in our schema before PostgreSQL's own; new tables are made in `public` as ever. */
const USE = `
  do $$ begin
    execute format('alter database %I set search_path = "$user", public, pawl_test_clock, pg_catalog', current_database());
  end $$`;

/** Defaults of columns mean the function that they were declared with, so they are declared anew. */
const DEFAULTS = `
  do $$ declare found record; begin
    for found in
      select d.adrelid::regclass as relation, a.attname, pg_get_expr(d.adbin, d.adrelid) as expression
      from pg_attrdef d
      join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
      join pg_class c on c.oid = d.adrelid
      where c.relkind in ('r', 'p') and a.attgenerated = ''
        and pg_get_expr(d.adbin, d.adrelid) ~ '^(pg_catalog\\.)?(clock_timestamp|now|statement_timestamp|transaction_timestamp)\\(\\)$'
    loop
      execute format('alter table %s alter column %I set default pawl_test_clock.%s', found.relation, found.attname,
        replace(found.expression, 'pg_catalog.', ''));
    end loop;
  end $$`;

export interface TestClockOptions {
  /** Where it stands at first. Default: the moment at which it is installed. */
  readonly at?: Date;
}

/**
 * The clock of one database, set by hand: it stands still until it is told otherwise, for all sessions at once. Whatever asks for `clock_timestamp()`,
 * `now()`, `statement_timestamp()` or `transaction_timestamp()`, column defaults included, gets its time, so timeouts, retries, leases and deadlines
 * of a week pass in no time. The process's own clock (`Date`, `setTimeout`, the `timeout` of a step) goes on, and so does the keyword
 * `current_timestamp`.
 *
 * For test databases only, and before the application connects: sessions that are open already keep the real time. It changes the database's
 * `search_path`, and it needs the right to do so.
 */
export class TestClock {
  private constructor(private readonly databaseUrl: string) {}

  static async install(databaseUrl: string, { at = new Date() }: TestClockOptions = {}): Promise<TestClock> {
    const clock = new TestClock(databaseUrl);
    await clock.query(SCHEMA);
    await clock.query(DEFAULTS);
    await clock.query(USE);
    await clock.query('insert into pawl_test_clock.clock (at) values ($1) on conflict do nothing', [at]);
    return clock;
  }

  async now(): Promise<Date> {
    const [row] = await this.query<{ at: Date }>('select at from pawl_test_clock.clock');
    if (row === undefined) throw new PawlError('test_clock_missing', 'The database has lost its test clock');
    return row.at;
  }

  /** Lets time pass, and answers what time it is then. Nothing is done by this alone: `tick` or `drain` does what is due. */
  async advance(by: Duration): Promise<Date> {
    const ms = toMilliseconds(by);
    if (ms === undefined || ms < 0)
      throw new PawlError(
        'test_clock_goes_forward',
        `The clock can not be advanced by ${by}: say '30m', or '0ms' at least`,
      );
    return this.set(new Date((await this.now()).getTime() + ms));
  }

  /** @throws PawlError `test_clock_goes_forward` for a moment before that at which it stands */
  async set(at: Date): Promise<Date> {
    const rows = await this.query('update pawl_test_clock.clock set at = $1 where at <= $1 returning at', [
      at,
    ]);
    if (rows.length > 0) return at;
    throw new PawlError(
      'test_clock_goes_forward',
      `The clock stands at a later time than ${at.toISOString()}`,
    );
  }

  private async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.databaseUrl });
    await client.connect();
    try {
      const { rows } = await client.query<Row & pg.QueryResultRow>(sql, [...values]);
      return rows;
    } finally {
      await client.end();
    }
  }
}
