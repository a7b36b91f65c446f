import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { PawlError } from '@pawl/core';

const OUTPUT_KEPT = 16_384;

/**
 * Runs in a Node process of its own, in a session of its own (a terminal's Ctrl-C does not reach it), between us and
 * the server. Its standard input is a pipe that we hold open: when it ends, however we died, the guard ends the server
 * and removes its directory. Plain JavaScript in a string, because it has to run without a loader.
 */
const GUARD = `
const { spawn } = require('node:child_process');
const { rmSync } = require('node:fs');
const { command, args, options, orphanSignal, directory } = JSON.parse(process.argv[1]);
const child = spawn(command, args, { ...options, stdio: ['ignore', 2, 2] });
let orphaned = false;
process.stdout.on('error', () => {});
child.on('spawn', () => process.stdout.write('started ' + child.pid + '\\n'));
child.on('error', (error) => { process.stderr.write(String(error.message)); process.exit(127); });
child.on('exit', (code, signal) => {
  if (orphaned) rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  process.exit(code ?? 1);
});
process.stdin.resume().on('error', () => {}).on('close', () => {
  orphaned = true;
  child.kill(orphanSignal);
  setTimeout(() => child.kill('SIGKILL'), 5000);
});
`;

export interface GuardedOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Removed when the parent dies without having stopped the process. */
  readonly directory: string;
  /** Sent to the process when the parent is gone. */
  readonly orphanSignal: NodeJS.Signals;
  readonly uid?: number | undefined;
}

/**
 * A server process that does not outlive us: ended by a guard when we are gone, SIGKILL included, and out of reach of
 * the terminal's SIGINT. Does not keep the event loop alive, save while somebody waits for its end.
 */
export class GuardedProcess {
  readonly pid: number;
  private readonly guard: ChildProcess;
  private readonly ended: Promise<number>;
  private output = '';
  private listener: (() => void) | undefined;

  private constructor(guard: ChildProcess, pid: number, ended: Promise<number>) {
    this.guard = guard;
    this.pid = pid;
    this.ended = ended;
  }

  static async start({
    command,
    args,
    directory,
    orphanSignal,
    uid,
  }: GuardedOptions): Promise<GuardedProcess> {
    const identity = uid === undefined ? {} : { uid, gid: uid };
    const options = { ...identity, cwd: directory, env: environment() };
    const order = JSON.stringify({ command, args, options, orphanSignal, directory });
    const guard = spawn(process.execPath, ['-e', GUARD, order], {
      detached: true,
      windowsHide: true,
      stdio: 'pipe',
    });
    guard.stdin.on('error', () => undefined); // the guard is gone; `ended` tells
    const ended = once(guard, 'close').then(([code]) => Number(code));
    let early = '';
    guard.stderr.on('data', (chunk) => (early += String(chunk)));
    const [first] = (await Promise.race([once(guard.stdout, 'data'), ended.then(() => [''])])) as [unknown];
    guard.stderr.removeAllListeners('data');
    const pid = /^started (\d+)/.exec(String(first))?.[1];
    if (!pid) throw new PawlError('server_not_started', `${command} could not be started: ${early.trim()}`);
    const started = new GuardedProcess(guard, Number(pid), ended);
    started.collect(guard.stderr, early);
    return started;
  }

  /** The newest output of the process, both streams. */
  get recentOutput(): string {
    return this.output;
  }

  /** Waits until the output holds `text`, answering false if the process ends before or the time is up. */
  async prints(text: string, timeoutMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const printed = new Promise<boolean>((resolve) => {
      this.listener = () => this.output.includes(text) && resolve(true);
      timer = setTimeout(() => resolve(false), timeoutMs);
      this.listener();
    });
    const answer = await Promise.race([printed, this.exit().then(() => false)]);
    clearTimeout(timer);
    this.listener = undefined;
    return answer;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.running) return;
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has just ended by itself
    }
  }

  get running(): boolean {
    return this.guard.exitCode === null && this.guard.signalCode === null;
  }

  /** Waits for the end and answers the exit code (1 after a signal). */
  async exit(): Promise<number> {
    this.guard.ref();
    return this.ended;
  }

  /** From here on the process does not keep our event loop alive. */
  unref(): void {
    this.guard.unref();
    for (const stream of [this.guard.stdin, this.guard.stdout, this.guard.stderr]) {
      (stream as unknown as { unref(): void }).unref();
    }
  }

  private collect(stream: NodeJS.ReadableStream, early: string): void {
    this.output = early;
    stream.on('data', (chunk) => {
      this.output = (this.output + String(chunk)).slice(-OUTPUT_KEPT);
      this.listener?.();
    });
  }
}

/** Ours, without what would change the behaviour of the server (PGDATA, LC_ALL and their like). */
function environment(): Record<string, string> {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
