import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayLedger, readLedger } from './gateway-ledger.js';

let directory: string;
let file: string;
let ledger: GatewayLedger;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pawl-ledger-'));
  file = join(directory, 'calls.jsonl');
  ledger = new GatewayLedger(file);
});
afterEach(async () => {
  ledger.close();
  await rm(directory, { recursive: true });
});

it('charges once per key and answers the same charge again', async () => {
  const first = ledger.charge('k', { order: 'o', cents: 5 }, 'hang');
  expect(ledger.charge('k', { order: 'o', cents: 5 }, 'at once')).toEqual(first);
  expect((await readLedger(file)).map(({ result, answer }) => [result, answer])).toEqual([
    ['charged', 'hang'],
    ['repeated', 'at once'],
  ]);
});

it('charges twice under two keys, so that a changed key shows', async () => {
  ledger.charge('k1', { order: 'o', cents: 5 }, 'at once');
  ledger.charge('k2', { order: 'o', cents: 5 }, 'at once');
  expect((await readLedger(file)).map(({ result }) => result)).toEqual(['charged', 'charged']);
});

it('refuses a key that named another amount or order', async () => {
  ledger.charge('k', { order: 'o', cents: 5 }, 'at once');
  expect(ledger.charge('k', { order: 'o', cents: 6 }, 'at once')).toBeUndefined();
  expect(ledger.charge('k', { order: 'p', cents: 5 }, 'at once')).toBeUndefined();
  expect((await readLedger(file)).map(({ result }) => result)).toEqual(['charged', 'refused', 'refused']);
});

it('records a call that it turned away, and charges the next', async () => {
  ledger.failed('k', { order: 'o', cents: 5 });
  expect(ledger.find('k')).toBeUndefined();
  expect(ledger.charge('k', { order: 'o', cents: 5 }, 'at once')).toMatchObject({ order: 'o', cents: 5 });
  expect((await readLedger(file)).map(({ result }) => result)).toEqual(['failed', 'charged']);
});
