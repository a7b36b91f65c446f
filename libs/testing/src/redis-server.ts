import { constants } from 'node:fs';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { PawlError } from '@pawl/core';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { GuardedProcess } from './guarded-process.js';

const NAMES = ['redis-server', 'valkey-server'];
const READY_TIMEOUT_MS = 10_000;
const START_ATTEMPTS_MAX = 20;

const FIXED = {
  bind: '127.0.0.1',
  save: '',
  appendonly: 'no',
  'maxmemory-policy': 'noeviction',
  'enable-debug-command': 'yes',
} as const;

/** What to tell people on whose machine there is none. */
export const redisRemedy = 'install redis-server or valkey-server, or set REDIS_URL';

/** The Redis or Valkey on the PATH, if there is one. */
export async function findRedis(): Promise<string | undefined> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    for (const name of NAMES) {
      const path = join(directory, name);
      const usable = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (usable) return path;
    }
  }
  return undefined;
}

export interface RedisOptions {
  /** Beyond what every one of ours has: `{ 'cluster-enabled': 'yes' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Starts a Redis (or Valkey) that keeps nothing: loopback only, on a free port, without persistence. It ends with us,
 * however we end. Answers undefined where none is installed; {@link redisRemedy} says what helps.
 *
 * @throws PawlError `server_not_started`, with the server's own words.
 */
export async function startRedis({ settings = {} }: RedisOptions = {}): Promise<RedisServer | undefined> {
  const command = await findRedis();
  if (command === undefined) return undefined;
  const directory = await mkdtemp(join(tmpdir(), 'pawl-redis-'));
  const server = new RedisServer({ command, directory, settings });
  try {
    await server.start();
    return server;
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

interface ServerFacts {
  readonly command: string;
  readonly directory: string;
  readonly settings: Readonly<Record<string, string>>;
}

export class RedisServer {
  private process: GuardedProcess | undefined;
  private chosenPort: number | undefined;

  /** For {@link startRedis}. */
  constructor(private readonly facts: ServerFacts) {}

  /** Stays the same over restarts. */
  get port(): number {
    if (this.chosenPort === undefined) throw new PawlError('server_not_started', 'Redis was not started');
    return this.chosenPort;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts again what `kill` ended, empty; the first start chooses the port. */
  async start(): Promise<void> {
    if (this.process?.running) return;
    for (let attempt = 1; ; attempt++) {
      const port = this.chosenPort ?? (await freePort());
      const started = await this.launch(port);
      if (await started.prints('Ready to accept connections', READY_TIMEOUT_MS)) {
        started.unref();
        this.process = started;
        this.chosenPort = port;
        return;
      }
      const output = started.recentOutput;
      started.signal('SIGKILL');
      await started.exit();
      if (
        !/Address already in use|Could not create server TCP/.test(output) ||
        attempt === START_ATTEMPTS_MAX
      ) {
        throw new PawlError('server_not_started', `Redis did not start:\n${output.trim()}`);
      }
    }
  }

  /** Everything in it is gone afterwards, as after a fail-over to an empty server. */
  async flushAll(): Promise<void> {
    const client = new Redis(this.url, { maxRetriesPerRequest: 1, lazyConnect: true });
    try {
      await client.connect();
      await client.flushall();
    } finally {
      client.disconnect();
    }
  }

  /** Ends it in good order and starts it again, empty. */
  async restart(): Promise<void> {
    await this.end('SIGTERM');
    await this.start();
  }

  /** SIGKILL. `start` brings it back, empty. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Ends it and removes its directory. May be called again. */
  async stop(): Promise<void> {
    await this.end('SIGKILL');
    await rm(this.facts.directory, { recursive: true, force: true });
  }

  private async launch(port: number): Promise<GuardedProcess> {
    const { command, directory, settings } = this.facts;
    const all = { ...FIXED, port: String(port), dir: directory, ...settings };
    return GuardedProcess.start({
      command,
      args: Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]),
      directory,
      orphanSignal: 'SIGKILL',
    });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.process?.signal(signal);
    await this.process?.exit();
  }
}
