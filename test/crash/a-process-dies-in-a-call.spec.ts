import { type ForkedService, forkService } from '@pawl/testing';
import { jest } from '@jest/globals';
import type { Envelope } from '@pawl/messaging';
import {
  arriving,
  count,
  RecordingTransport,
  testService,
  type TestService,
} from '../messaging/service-pair.js';
import { calling } from './calling.js';
import { EffectLedger } from './effect-ledger.js';

// Each test starts processes, on a machine that may be busy.
jest.setTimeout(120_000);

let service: TestService;
let ledger: EffectLedger;
const forks: ForkedService[] = [];

beforeAll(async () => {
  service = await testService({
    name: 'shipping',
    bus: new RecordingTransport(),
    limits: { attemptsMax: 1 },
  });
  ledger = await EffectLedger.start();
  service.runtime.consumers.register(['orders.noted'], calling(ledger.url));
});
beforeEach(async () => {
  ledger.calls.length = 0;
  await service.dataSource.query(
    'TRUNCATE pawl.dead_letter, pawl.loss, pawl.inbox_stream, pawl.inbox_attempt',
  );
});
afterAll(async () => {
  for (const fork of forks) fork.kill('SIGKILL');
  await ledger.stop();
  await service.close();
});

describe('A process dies beside the handler of a message that is handled', () => {
  it.each([
    ['before it is called', 'inbox.after-mark', 0],
    ['when it has been called', 'inbox.after-call', 1],
  ])(
    'at most once, %s: it is never called twice, and the row says that nobody knows',
    async (_when, crashPoint, calls) => {
      await dieOf('at-most-once', crashPoint);
      expect(await accept('at-most-once')).toEqual(['duplicate', 'closed', 'closed']);
      expect(callsOf(0)).toBe(calls);
      expect([callsOf(1), callsOf(2)]).toEqual([1, 1]);
      const losses = await service.dataSource.query('SELECT message_id, reason FROM pawl.loss');
      expect(losses).toEqual([{ message_id: arriving(0).id, reason: 'unknown' }]);
    },
  );

  it('at least once, before it is marked: it is called again', async () => {
    await dieOf('at-least-once', 'inbox.before-mark');
    expect(await accept('at-least-once')).toEqual(['closed', 'closed', 'closed']);
    expect([0, 1, 2].map(callsOf)).toEqual([2, 1, 1]);
    expect(await count(service, 'pawl.inbox_attempt')).toBe(0);
  });
});

describe('A process dies while it redrives a dead letter', () => {
  it.each([
    ['redriver.after-claim', 1],
    ['redriver.before-commit', 1],
    ['redriver.after-commit', 0],
  ])('at %s: it is begun again, unless it was resolved', async (crashPoint, passes) => {
    ledger.behave = async () => Promise.reject(new Error('not today'));
    await service.runtime.inbox.accept([arriving(7)]);
    ledger.behave = async () => undefined;
    const [letter] = await service.runtime.deadLetters.list();
    await service.runtime.deadLetters.redrive([letter?.id ?? ''], { actor: 'ann', reason: 'mended' });
    const dying = await fork({ crashPoint, redrive: true });
    expect(await dying.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(dying.crashed()).toBe(true);
    await service.dataSource.query('UPDATE pawl.dead_letter SET claimed_until = clock_timestamp()');
    expect(await service.runtime.redriver.pass()).toBe(passes);
    expect(await service.runtime.deadLetters.list({ resolved: true })).toMatchObject([
      { resolution: 'redriven', tries: 1 + passes },
    ]);
  });
});

async function dieOf(guarantee: 'at-least-once' | 'at-most-once', crashPoint: string): Promise<void> {
  const dying = await fork({ crashPoint });
  dying.send(messages(guarantee, 1));
  expect(await dying.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(dying.crashed()).toBe(true);
}

/** What another process is given afterwards. */
async function accept(guarantee: 'at-least-once' | 'at-most-once'): Promise<string[]> {
  return service.runtime.inbox.accept(messages(guarantee, 2));
}

function messages(guarantee: 'at-least-once' | 'at-most-once', transmission: number): Envelope[] {
  return [0, 1, 2].map((n) => arriving(n, { guarantee, transmission }));
}

function callsOf(n: number): number {
  return ledger.callsOf(String(n)).length;
}

async function fork({
  crashPoint,
  redrive,
}: { crashPoint?: string; redrive?: boolean } = {}): Promise<ForkedService> {
  const args = [service.database.url, ledger.url, ...(redrive ? ['redrive'] : [])];
  const forked = forkService('test/crash/caller-service.ts', { args, ...(crashPoint && { crashPoint }) });
  forks.push(forked);
  await forked.ready();
  return forked;
}
