import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PawlError } from '@pawl/core';
import { runnable, runnableFile, SOURCES_ROOT } from './runnable.js';

const ARM = 'libs/testing/src/arm-crash-point.ts';
const OUTPUT_KEPT = 16_384;

export interface ForkOptions {
  /** Added to ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where the process shall kill itself: a crash point's name, or `name:hit` for a later passage (the first is 1). */
  readonly crashPoint?: string;
  /** Handed to the entry as its arguments. */
  readonly args?: readonly string[];
}

/**
 * Runs a TypeScript entry of this repository as a real process, from its sources, for tests that kill and stop
 * processes ({@link runnable} says how). Its IPC channel tells when it is ready (its first message); it dies with us if it listens for `disconnect`
 * and else by `kill`.
 */
export function forkService(
  entry: string,
  { env = {}, crashPoint, args = [] }: ForkOptions = {},
): ForkedService {
  const directory = mkdtempSync(join(tmpdir(), 'pawl-crash-'));
  const crashFile = join(directory, 'crashed');
  const armed = crashPoint === undefined ? {} : { PAWL_CRASH_POINT: crashPoint, PAWL_CRASH_FILE: crashFile };
  const preload = crashPoint === undefined ? [] : ['--import', pathToFileURL(runnableFile(ARM)).href];
  const { file, nodeArgs } = runnable(entry);
  const child = fork(file, args, {
    cwd: SOURCES_ROOT,
    env: { ...process.env, ...env, ...armed },
    execArgv: [...nodeArgs, ...preload],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  return new ForkedService(child, directory, crashFile);
}

export class ForkedService {
  /** The exit code or signal, once it has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private readonly child: ChildProcess;
  private readonly crashFile: string;
  private readonly firstMessage: Promise<unknown>;
  private printed = '';
  private crashPoints: readonly string[] | undefined;

  /** For {@link forkService}. */
  constructor(child: ChildProcess, directory: string, crashFile: string) {
    this.child = child;
    this.crashFile = crashFile;
    child.stdout?.on('data', (chunk) => this.keep(chunk));
    child.stderr?.on('data', (chunk) => this.keep(chunk));
    this.firstMessage = new Promise((done) => child.once('message', done));
    this.exited = new Promise((done) => {
      child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
        this.crashPoints = this.passed();
        rmSync(directory, { recursive: true, force: true });
        done({ code, signal });
      });
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** The newest output, both streams. */
  get output(): string {
    return this.printed;
  }

  /**
   * Waits for the first message that the process sends to us, and answers it.
   *
   * @throws PawlError `service_not_ready` with its output, if it ends before.
   */
  async ready<T = unknown>(): Promise<T> {
    const early = this.exited.then(({ code, signal }) => {
      const facts = { code, signal };
      throw new PawlError(
        'service_not_ready',
        `Ended before it was ready (${code ?? signal}):\n${this.printed}`,
        facts,
      );
    });
    return (await Promise.race([this.firstMessage, early])) as T;
  }

  /** Sends it a message over IPC; one that has ended, or ends meanwhile, gets none. */
  send(message: object): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  /** The next message from it. */
  async message<T = unknown>(): Promise<T> {
    const [message] = (await once(this.child, 'message')) as [T];
    return message;
  }

  /** Sends a signal; does nothing if it has ended. */
  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Whether the armed crash point was reached: ask it in every crash test, else the test proves nothing. */
  crashed(): boolean {
    return (this.crashPoints ?? this.passed()).length > 0;
  }

  private passed(): readonly string[] {
    try {
      return readFileSync(this.crashFile, 'utf8').split('\n').filter(Boolean);
    } catch {
      return []; // never written: the crash point was not reached
    }
  }

  private keep(chunk: unknown): void {
    this.printed = (this.printed + String(chunk)).slice(-OUTPUT_KEPT);
  }
}
