import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithRedis, testRedisUrl } from '@pawl/testing';
import { Redis } from 'ioredis';
import { DemoRun } from './demo-run.js';

const PATIENT_MS = 240_000;

let run: DemoRun | undefined;

afterEach(async () => {
  await run?.remove();
  run = undefined;
});

async function play(...args: readonly string[]): Promise<string> {
  run = await DemoRun.start('--seed', '11', ...args);
  const code = await run.exit();
  // The output first: it says what went wrong.
  expect(run.output).toMatch(/Every effect happened exactly once/);
  expect([code, await run.remains()]).toEqual([0, []]);
  return run.output;
}

it(
  'counts every effect once while everything breaks, and leaves nothing behind',
  async () => {
    const output = await play('--orders', '15');
    expect(output.match(/^\w+ \w+ .* 0 +0 +0 +ok$/gm)).toHaveLength(4);
    for (const fault of [
      'orders process killed',
      'shipping process killed',
      'message delivered three times',
    ]) {
      expect(output).toMatch(new RegExp(`^${fault}.* [1-9]\\d*`, 'm'));
    }
    expect(output).toMatch(/^rejected +conflicting-content +[1-9]/m);
  },
  PATIENT_MS,
);

it(
  'needs no hints: forgotten work is found',
  async () => {
    const output = await play('--orders', '5', '--no-faults', '--drop-hints');
    expect(output).toMatch(/^hint thrown away +[1-9]/m);
  },
  PATIENT_MS,
);

it(
  'takes orders from files, and needs nobody to look for forgotten work when nothing breaks: hints work',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pawl-data-'));
    const orders = ['10248,VINET', '10249,TOMSP', '10250,HANAR', '10251,VICTE', '10252,SUPRD'];
    await writeFile(join(directory, 'orders.csv'), ['orderID,customerID', ...orders].join('\n'));
    const details = ['10248,11,14.00,12,0', '10248,42,9.8,10,0.15', '10249,14,18.6,9,0.05'];
    details.push('10250,41,7.7,10,0', '10251,22,16.8,6,0.05', '10252,20,64.8,40,0.05');
    await writeFile(
      join(directory, 'order-details.csv'),
      ['orderID,productID,unitPrice,quantity,discount', ...details].join('\n'),
    );
    const output = await play('--data', directory, '--no-faults', '--rescue-every', '1h');
    // 16800 + 8330 + 15903, 7700, 9576, 246240
    expect(output).toMatch(/in cents +304,549 +304,549$/m);
    expect(output.match(/in pieces +87 +87$/gm)).toHaveLength(2);
    await rm(directory, { recursive: true });
  },
  PATIENT_MS,
);

describeWithRedis('on Redis', () => {
  it(
    'ends a single order, with every fault, and removes its keys',
    async () => {
      const redis = new Redis(testRedisUrl());
      const before = await redis.keys('pawl-demo-*');
      await play('--orders', '1', '--redis', testRedisUrl());
      expect(await redis.keys('pawl-demo-*')).toEqual(before);
      redis.disconnect();
    },
    PATIENT_MS,
  );
});
