import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { until } from './until.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const ENTRY = join(ROOT, 'libs/testing/src/index.ts');
const PARENT = `
  const { startPostgres, startRedis } = await import(${JSON.stringify(ENTRY)});
  const postgres = await startPostgres();
  const redis = await startRedis();
  const pids = [postgres, redis].filter(Boolean).map((server) => server.process.pid);
  process.on('SIGINT', async () => console.log(await postgres.createDatabase('after_sigint')));
  console.log(JSON.stringify({ pids, directory: postgres.facts.directory }));
  setInterval(() => undefined, 1000);
`;

let parent: ChildProcess;
let started: { readonly pids: number[]; readonly directory: string };
beforeEach(async () => {
  const args = ['--import', join(ROOT, 'scripts/typescript-loader.mjs'), '--input-type=module', '-e', PARENT];
  parent = spawn(process.execPath, args, { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  started = JSON.parse(await nextOutput()) as typeof started;
});
afterEach(() => parent.kill('SIGKILL'));

it('ends the servers and removes their data when the parent is killed', async () => {
  expect(started.pids.every(isRunning)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !started.pids.some(isRunning), { what: 'the servers end' });
  await until(() => !existsSync(started.directory), { what: 'the data is removed' });
});

it("keeps a terminal's Ctrl-C from the servers", async () => {
  process.kill(-parent.pid!, 'SIGINT'); // to the whole group, as a terminal does
  expect(await nextOutput()).toMatch(/after_sigint$/);
  expect(started.pids.every(isRunning)).toBe(true);
});

async function nextOutput(): Promise<string> {
  const [chunk] = (await once(parent.stdout!, 'data')) as [Buffer];
  return String(chunk).trim();
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
