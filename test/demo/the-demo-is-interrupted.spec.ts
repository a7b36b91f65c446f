import { invariant } from '@pawl/core';
import { until } from '@pawl/testing';
import { asCurl, thingsToTry } from '../../apps/demo/src/try-it.js';
import { DemoRun } from './demo-run.js';

const PATIENT_MS = 120_000;

let run: DemoRun;

afterEach(async () => run.remove());

async function untilPrinted(text: RegExp): Promise<RegExpExecArray> {
  return until(() => text.exec(run.output), { timeoutMs: PATIENT_MS, what: `the demo prints ${text}` });
}

it(
  'leaves nothing running when it is interrupted in the middle, though impatiently',
  async () => {
    run = await DemoRun.start('--orders', '50');
    await untilPrinted(/requests answered/);
    run.signal('SIGINT');
    run.signal('SIGINT');
    run.signal('SIGTERM');
    // Of signals that come at once, the system does not say which came first.
    expect([130, 143]).toContain(await run.exit());
    expect(await run.remains()).toEqual([]);
  },
  PATIENT_MS,
);

it(
  'leaves nothing running when it is interrupted while it starts',
  async () => {
    run = await DemoRun.start();
    await untilPrinted(/orders with/);
    run.signal('SIGTERM');
    expect(await run.exit()).toBe(143);
    expect(await run.remains()).toEqual([]);
  },
  PATIENT_MS,
);

it(
  'ends by itself when it is killed: services and server follow',
  async () => {
    run = await DemoRun.start('--orders', '50');
    await untilPrinted(/requests answered/);
    run.signal('SIGKILL');
    await run.exit();
    await until(async () => (await run.processes()).length === 0, {
      timeoutMs: 30_000,
      what: 'all have ended',
    });
  },
  PATIENT_MS,
);

it(
  'keeps the pair running until then, and what it prints to try can be tried',
  async () => {
    run = await DemoRun.start('--keep');
    await untilPrinted(/Ctrl-C/);
    const [, orders = ''] = await untilPrinted(/^orders +(http\S+)/m);
    const [, shipping = ''] = await untilPrinted(/^shipping +(http\S+)/m);
    const [, adminToken = ''] = await untilPrinted(/Bearer ([\w-]+)/);
    for (const thing of thingsToTry({ orders, shipping, adminToken })) {
      expect(run.output).toContain(asCurl(thing));
      const { url, method, headers, body = null } = thing;
      const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
      expect([thing.title, response.status]).toEqual([thing.title, thing.status]);
    }
    run.signal('SIGINT');
    expect(await run.exit()).toBe(130);
    expect(await run.remains()).toEqual([]);
  },
  PATIENT_MS,
);

it(
  'fails when a service ends by itself, and shows its last words',
  async () => {
    run = await DemoRun.start('--keep');
    await untilPrinted(/Ctrl-C/);
    const shipping = (await run.processes()).find(({ command }) => command.includes('apps/shipping'));
    invariant(shipping, 'a shipping process runs');
    process.kill(shipping.pid, 'SIGKILL');
    expect(await run.exit()).toBe(1);
    expect(run.output).toMatch(/The shipping process ended by itself \(SIGKILL\). Its last words:/);
    expect(await run.remains()).toEqual([]);
  },
  PATIENT_MS,
);

it(
  'refuses wrong options with their remedy, and starts nothing',
  async () => {
    run = await DemoRun.start('--orders', 'many');
    expect(await run.exit()).toBe(2);
    expect(run.output).toMatch(
      /--orders "many" is not a whole number from 1 to \d+, for example --orders 50/,
    );
    expect(await run.remains()).toEqual([]);
  },
  PATIENT_MS,
);
