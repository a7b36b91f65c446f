import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryDirectory, runnable } from '@pawl/testing';

/** The demo as people start it, but from its sources, and with a temporary directory of its own. */
export class DemoRun {
  output = '';
  private readonly exited: Promise<number | null>;

  private constructor(
    readonly directory: string,
    private readonly child: ChildProcess,
  ) {
    this.exited = once(child, 'close').then(([code]) => code as number | null);
    child.stdout?.on('data', (chunk) => (this.output += String(chunk)));
    child.stderr?.on('data', (chunk) => (this.output += String(chunk)));
  }

  static async start(...args: readonly string[]): Promise<DemoRun> {
    const directory = await mkdtemp(join((await memoryDirectory()) ?? tmpdir(), 'pawl-demo-run-'));
    await chmod(directory, 0o755); // else the server of root's demo, which runs as nobody, goes elsewhere
    const { nodeArgs, file } = runnable('apps/demo/src/main.ts');
    const child = spawn(process.execPath, [...nodeArgs, file, ...args], {
      env: { ...process.env, TMPDIR: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new DemoRun(directory, child);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for its end and answers its exit code. */
  async exit(): Promise<number | null> {
    return this.exited;
  }

  /** Files and processes of it that are still there (processes on Linux only). */
  async remains(): Promise<readonly string[]> {
    const processes = await this.processes();
    return [...(await readdir(this.directory)), ...processes.map(({ pid, command }) => `${pid} ${command}`)];
  }

  /** Told apart from others by the temporary directory in their environment. */
  async processes(): Promise<readonly { readonly pid: number; readonly command: string }[]> {
    const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
    const all = await Promise.all(
      pids.map(async (pid) => ({
        pid: Number(pid),
        environment: await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''), // it has ended meanwhile
        command: (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' '),
      })),
    );
    return all.filter(({ environment }) => environment.includes(`TMPDIR=${this.directory}`));
  }

  /** Ends what is left of it. */
  async remove(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
    await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
}
