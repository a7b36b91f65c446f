import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PawlError } from '@pawl/core';
import pg from 'pg';
import { freePort } from './free-port.js';
import { GuardedProcess } from './guarded-process.js';
import { everybodyMayEnter, postgresBinaries } from './postgres-binaries.js';

// Not `pawl`: a role's own schema is first in its search path, and specs would not notice a table name without schema.
const USER = 'postgres';
const NOBODY = 65534;
const READY = 'ready to accept connections';
const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const START_ATTEMPTS_MAX = 20;

export interface PostgresOptions {
  /** Server settings beyond the stock ones, `{ fsync: 'off' }` for tests. Default: none, so what is committed is durable. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where its directory is made. Default: where the system has temporary ones. */
  readonly under?: string | undefined;
}

/** For tests: a crash of the server loses nothing, a crash of the machine may, and commits are fast. */
export const fastSettings = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  max_wal_size: '256MB',
} as const;

/**
 * Starts a real PostgreSQL from the npm binaries: loopback only, on a free port, with a random password, its data in a
 * temporary directory. As root it runs as an unprivileged user. It ends with us, however we end, and its directory
 * with it. With `PAWL_TEST_POSTGRES_BIN` another version is started.
 *
 * @throws PawlError `embedded_postgres_missing` or `server_not_started`, with the server's own words.
 */
export async function startPostgres({ settings = {}, under }: PostgresOptions = {}): Promise<PostgresServer> {
  const uid = process.getuid?.() === 0 ? NOBODY : undefined;
  const directory = await temporaryDirectory(uid, under);
  try {
    const binaries = await postgresBinaries(directory, uid);
    const password = await initializeData({ binaries, directory, uid });
    const server = new PostgresServer({ binaries, directory, uid, password, settings });
    await server.start();
    return server;
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

interface ServerFacts {
  readonly binaries: string;
  readonly directory: string;
  readonly uid: number | undefined;
  readonly password: string;
  readonly settings: Readonly<Record<string, string>>;
}

export class PostgresServer {
  private readonly facts: ServerFacts;
  private process: GuardedProcess | undefined;
  private chosenPort: number | undefined;

  /** For {@link startPostgres}. */
  constructor(facts: ServerFacts) {
    this.facts = facts;
  }

  /** Stays the same over restarts. */
  get port(): number {
    if (this.chosenPort === undefined)
      throw new PawlError('server_not_started', 'PostgreSQL was not started');
    return this.chosenPort;
  }

  /** The address of a database, as the superuser. */
  url(database = 'postgres'): string {
    return `postgres://${USER}:${this.facts.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Makes a database, from a template if one is named, and answers its address. */
  async createDatabase(name: string, { template }: { template?: string } = {}): Promise<string> {
    const client = new pg.Client(this.url());
    await client.connect();
    try {
      const from = template === undefined ? '' : ` template ${client.escapeIdentifier(template)}`;
      await client.query(`create database ${client.escapeIdentifier(name)}${from}`);
    } finally {
      await client.end();
    }
    return this.url(name);
  }

  /** Starts again what `kill` ended; the first start chooses the port. */
  async start(): Promise<void> {
    if (this.process?.running) return;
    for (let attempt = 1; ; attempt++) {
      const port = this.chosenPort ?? (await freePort());
      const started = await this.launch(port);
      if (await started.prints(READY, READY_TIMEOUT_MS)) return this.adopt(started, port);
      const output = started.recentOutput;
      started.signal('SIGKILL');
      await started.exit();
      // The port was taken in between, or backends of a killed server are just ending.
      const passing = /could not bind|still in use|lock file "postmaster.pid"/.test(output);
      if (!passing || attempt === START_ATTEMPTS_MAX) {
        throw new PawlError('server_not_started', `PostgreSQL did not start:\n${output.trim()}`);
      }
    }
  }

  /** Ends the server (open transactions roll back) and starts it again: `immediate` is a crash with recovery. */
  async restart({ mode }: { mode: 'fast' | 'immediate' }): Promise<void> {
    await this.end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await this.start();
  }

  /** SIGKILL to the server. Data and port stay; `start` recovers. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Ends the server and removes its data. May be called again. */
  async stop(): Promise<void> {
    await this.end('SIGINT');
    await rm(this.facts.directory, { recursive: true, force: true, maxRetries: 10 });
  }

  private async launch(port: number): Promise<GuardedProcess> {
    const { binaries, directory, uid, settings } = this.facts;
    const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings };
    const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return GuardedProcess.start({
      command: join(binaries, 'postgres'),
      args: ['-D', join(directory, 'data'), '-p', String(port), ...args],
      directory,
      orphanSignal: 'SIGQUIT',
      uid,
    });
  }

  private adopt(started: GuardedProcess, port: number): void {
    started.unref();
    this.process = started;
    this.chosenPort = port;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.process) return;
    const ending = this.process;
    ending.signal(signal);
    const force = setTimeout(() => ending.signal('SIGKILL'), STOP_TIMEOUT_MS);
    await ending.exit();
    clearTimeout(force);
  }
}

async function temporaryDirectory(uid: number | undefined, under = tmpdir()): Promise<string> {
  const base = uid !== undefined && !(await everybodyMayEnter(under)) ? '/tmp' : under;
  const directory = await mkdtemp(join(base, 'pawl-postgres-'));
  if (uid !== undefined) await chmod(directory, 0o755);
  return directory;
}

async function initializeData({
  binaries,
  directory,
  uid,
}: Omit<ServerFacts, 'password' | 'settings'>): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  const [data, passwordFile] = [join(directory, 'data'), join(directory, 'password')];
  await mkdir(data, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (uid !== undefined) await Promise.all([data, passwordFile].map((path) => chown(path, uid, uid)));
  const initdb = await GuardedProcess.start({
    command: join(binaries, 'initdb'),
    args: [
      ...['-D', data, '-U', USER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
      ...['--encoding=UTF8', '--no-locale', '--no-sync'],
    ],
    directory,
    orphanSignal: 'SIGKILL',
    uid,
  });
  if ((await initdb.exit()) !== 0) {
    throw new PawlError('server_not_started', `initdb failed:\n${initdb.recentOutput.trim()}`);
  }
  await rm(passwordFile);
  return password;
}
