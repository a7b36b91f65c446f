import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { PawlError } from '@pawl/core';

export interface DemoProcessOptions {
  readonly name: string;
  /** An absolute path. */
  readonly entry: string;
  readonly args?: readonly string[];
  /** Asked for at each start. */
  readonly env?: () => Readonly<Record<string, string>>;
  /** Where its output goes, appended over restarts. */
  readonly logFile: string;
  readonly onMessage?: (message: unknown) => void;
  /** It ended although nobody here had asked it to. */
  readonly onUnexpectedEnd: (error: PawlError) => void;
}

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 8_000;
const LOG_LINES_SHOWN = 20;

/**
 * A process that says over IPC when it is ready, can be killed and started again, and does not outlive us. It has a
 * process group of its own, so that a terminal's Ctrl-C reaches us alone, and we end everything in order.
 */
export class DemoProcess {
  readonly name: string;
  private readonly options: DemoProcessOptions;
  private child: ChildProcess | undefined;
  private expectedToEnd = false;
  private stopped = false;
  private chosenPort = 0;

  constructor(options: DemoProcessOptions) {
    this.name = options.name;
    this.options = options;
  }

  /** Where its HTTP server listens; another one after each start. */
  get url(): string {
    return `http://127.0.0.1:${this.chosenPort}`;
  }

  /** @throws PawlError `process_not_ready` with the end of its output, `interrupted` if it was stopped for good. */
  async start(): Promise<void> {
    if (this.stopped) throw new PawlError('interrupted', 'The demo is ending');
    const { entry, args = [], env, logFile, name } = this.options;
    const log = openSync(logFile, 'a');
    const child = fork(entry, [...args], {
      env: { ...inheritedEnvironment(), ...env?.() },
      execArgv: [...process.execArgv, '--import', import.meta.resolve('./end-with-parent.js')],
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
    });
    closeSync(log);
    this.child = child;
    this.expectedToEnd = false;
    const ready = this.whenReady(child);
    child.once('exit', (code, signal) => void this.ended(child, code ?? signal));
    const timeout = AbortSignal.timeout(READY_TIMEOUT_MS);
    const late = once(timeout, 'abort').then(() => false);
    if (!(await Promise.race([ready, once(child, 'exit').then(() => false), late]))) {
      throw await this.failure(`The ${name} process did not become ready`);
    }
  }

  send(message: object): void {
    this.child?.send(message);
  }

  /** SIGKILL: no chance to finish or to say anything. Answers whether there was a process to kill. */
  async kill(): Promise<boolean> {
    return this.end('SIGKILL');
  }

  /** For good: SIGTERM, and SIGKILL if it is still there after a while. */
  async stop(): Promise<void> {
    this.stopped = true;
    const force = setTimeout(() => this.child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.end('SIGTERM');
    clearTimeout(force);
  }

  private async end(signal: NodeJS.Signals): Promise<boolean> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return false;
    this.expectedToEnd = true;
    const exited = once(child, 'exit');
    const sent = child.kill(signal);
    await exited;
    return sent;
  }

  private whenReady(child: ChildProcess): Promise<boolean> {
    return new Promise((resolve) => {
      child.on('message', (message: { ready?: boolean; port?: number }) => {
        if (!message.ready) return this.options.onMessage?.(message);
        this.chosenPort = message.port ?? 0;
        resolve(true);
      });
    });
  }

  private async ended(child: ChildProcess, how: number | string | null): Promise<void> {
    if (this.expectedToEnd || child !== this.child) return;
    this.options.onUnexpectedEnd(await this.failure(`The ${this.name} process ended by itself (${how})`));
  }

  private async failure(what: string): Promise<PawlError> {
    const words = await this.lastWords();
    const message = words === undefined ? `${what}. Its log is gone` : `${what}. Its last words:\n${words}`;
    return new PawlError('process_not_ready', message, { name: this.name });
  }

  /** Undefined when the log is gone: everything is being cleaned up already. */
  private async lastWords(): Promise<string | undefined> {
    const log = await readFile(this.options.logFile, 'utf8').catch(() => undefined);
    return log?.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
  }
}

/** Ours, without what would configure a service: the demo's services shall not meet somebody's real database. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const foreign =
    /^(PAWL_|NODE_ENV$|NODE_OPTIONS$|PORT$|(DATABASE|QUEUE|BUS|PAYMENT_GATEWAY)_)|^SUBMITTED_TIMEOUT/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
