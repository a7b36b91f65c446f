import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type ForkedService, forkService, testDatabase, type TestDatabase, until } from '@pawl/testing';
import { DataSource } from 'typeorm';
import { type Account, readAccount } from './account.js';
import { Archive } from './archive.js';
import { EffectLedger } from './effect-ledger.js';
import { SCHEMA, toArchive } from './errand.js';
import type { Report } from './worker-service.js';
import { type ErrandService, openErrandService, type ServiceOptions } from './errand-service.js';

export interface StageOptions {
  /** BullMQ for messages; by default on a PostgreSQL database of its own. */
  readonly busUrl?: string;
  readonly databaseUrl?: string;
}

interface WhereToEnd {
  /** Where it kills itself. */
  readonly crashPoint?: string;
  /** The crash point at which it stops (SIGSTOP), once. */
  readonly stopAt?: string;
}

const ENTRY = 'test/crash/worker-service.ts';
const FINISH_TIMEOUT_MS = 45_000;

// A test that uses the stage may take this long: on a machine that does much else a forked service alone takes seconds to start.
jest.setTimeout(90_000);

/** The errand service's database, the ledger that its steps call, the archive that its messages go to, and processes to kill. */
export class CrashStage {
  private readonly forked: ForkedService[] = [];
  private readonly opened: ErrandService[] = [];
  private runs = 0;

  private constructor(
    readonly ledger: EffectLedger,
    readonly archive: Archive,
    private readonly dataSource: DataSource,
    readonly options: ServiceOptions & { readonly busUrl: string },
    private readonly databases: readonly TestDatabase[],
  ) {}

  static async set({ busUrl, databaseUrl }: StageOptions = {}): Promise<CrashStage> {
    const databases: TestDatabase[] = [];
    const database = async (empty: boolean): Promise<string> => {
      const made = await testDatabase({ empty });
      databases.push(made);
      return made.url;
    };
    const url = databaseUrl ?? (await database(false));
    const bus = busUrl ?? (await database(true));
    const prefix = `t${randomUUID().slice(0, 8)}`;
    const [ledger, archive, dataSource] = await Promise.all([
      EffectLedger.start(),
      Archive.open({ databaseUrl: await database(false), busUrl: bus, prefix }),
      new DataSource({ type: 'postgres', url, installExtensions: false }).initialize(),
    ]);
    await dataSource.query(SCHEMA);
    await archive.receive();
    const options = { databaseUrl: url, ledgerUrl: ledger.url, busUrl: bus, prefix };
    return new CrashStage(ledger, archive, dataSource, options, databases);
  }

  /** Keys of runs that no other test has used. */
  keys(count: number): string[] {
    return Array.from({ length: count }, () => `run-${++this.runs}`);
  }

  /** A worker in a process of its own, ready. */
  async fork({
    crashPoint,
    stopAt,
    ...options
  }: Partial<ServiceOptions> & WhereToEnd = {}): Promise<ForkedService> {
    const env = {
      ERRAND_OPTIONS: JSON.stringify({ ...this.options, ...options }),
      ...(stopAt !== undefined && { ERRAND_STOP_AT: stopAt }),
    };
    const forked = forkService(ENTRY, { env, ...(crashPoint !== undefined && { crashPoint }) });
    this.forked.push(forked);
    await forked.ready().catch((error: unknown) => {
      // Its crash point may lie on its way up.
      if (!forked.crashed()) throw error;
    });
    return forked;
  }

  /** Waits until a forked worker has no run, and answers what it says of itself. */
  async idle(worker: ForkedService): Promise<Report> {
    return until(
      async () => {
        const answer = worker.message<Report>();
        worker.send({ report: true });
        const report = await answer;
        return report.idle ? report : undefined;
      },
      { what: 'an idle worker' },
    );
  }

  async started(keys: readonly string[]): Promise<void> {
    const all = async (): Promise<boolean> =>
      (await this.rows('select 1 from pawl.run where key = any ($1)', [keys])).length === keys.length;
    await until(all, { what: `${keys.length} runs` });
  }

  /** Waits until so many of these runs have ended well. */
  async finishedOf(keys: readonly string[], count: number, timeoutMs = FINISH_TIMEOUT_MS): Promise<void> {
    const sql = `select count(*)::int as n from pawl.run where key = any ($1) and status = 'completed'`;
    const enough = async (): Promise<boolean> =>
      ((await this.rows<{ n: number }>(sql, [keys]))[0]?.n ?? 0) >= count;
    await until(enough, { timeoutMs, what: `the end of ${count} of ${keys.length} runs` });
  }

  /** Waits until messages to the archive may be numbered, while it is there. */
  async openSessions(): Promise<void> {
    await this.rows(
      `insert into pawl.outbox_stream (destination, partition, incarnation)
       select 'archive', n, '019a0000-0000-7000-8000-000000000001' from generate_series(0, $1::integer - 1) n`,
      [toArchive.partitions],
    );
    await this.open();
    const asking = async (): Promise<unknown[]> =>
      this.rows('select 1 from pawl.outbox_stream where opened_at is null');
    await until(async () => (await asking()).length === 0, { what: 'open sessions' });
    await this.clear();
  }

  /** As if the sender's database were another one: it begins a new incarnation. */
  async forgetSessions(): Promise<void> {
    await this.rows(`update pawl.outbox_stream set storage = 'another'`);
  }

  /** The archive in a process of its own. */
  async forkArchive(crashPoint: string): Promise<ForkedService> {
    const env = { ARCHIVE_OPTIONS: JSON.stringify(this.archive.options) };
    const forked = forkService('test/crash/archive-service.ts', { env, crashPoint });
    this.forked.push(forked);
    await forked.ready();
    return forked;
  }

  /** A worker in this process. */
  async open(options: Partial<ServiceOptions> = {}): Promise<ErrandService> {
    const service = await openErrandService({ ...this.options, ...options });
    this.opened.push(service);
    return service;
  }

  readonly rows = async <Row>(sql: string, values: unknown[] = []): Promise<Row[]> =>
    this.dataSource.query(sql, values);

  /** Waits until these runs have ended well and all their messages have arrived. */
  async finished(keys: readonly string[], timeoutMs = FINISH_TIMEOUT_MS): Promise<void> {
    await this.finishedOf(keys, keys.length, timeoutMs);
    const empty = async (): Promise<boolean> => (await this.rows('select 1 from pawl.outbox')).length === 0;
    await until(empty, { timeoutMs, what: 'an empty outbox' });
  }

  /** What became of these runs, to be compared with `eachOnce(keys)`. */
  async account(keys: readonly string[], options: { readonly callsMax?: number } = {}): Promise<Account> {
    return readAccount(this, keys, options);
  }

  /** Ends what a test has started and not ended itself. */
  async clear(): Promise<void> {
    for (const forked of this.forked) forked.kill('SIGKILL');
    await Promise.all(this.forked.splice(0).map(({ exited }) => exited));
    await Promise.all(this.opened.splice(0).map((service) => service.stop()));
    this.ledger.behave = async () => undefined;
  }

  async strike(): Promise<void> {
    await this.clear();
    await this.archive.close();
    await Promise.all([this.ledger.stop(), this.dataSource.destroy()]);
    for (const database of this.databases) await database.drop();
  }
}
