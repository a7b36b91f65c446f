import { EffectLedger } from './effect-ledger.js';
import { forkService } from './fork-service.js';

let ledger: EffectLedger;

beforeEach(() => (ledger = EffectLedger.create()));
afterEach(() => ledger.remove());

it('counts what was noted, in whatever process, also in one that was killed right after it', async () => {
  const service = forkService('libs/testing/src/fixtures/noting-service.ts', {
    env: { EFFECTS: ledger.file },
    crashPoint: 'after-effect',
  });
  expect(await service.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(service.crashed()).toBe(true);
  EffectLedger.open(ledger.file).note('charge order-1');
  ledger.note('mail "ä\n"');
  expect(ledger.effects).toEqual(['charge order-1', 'charge order-1', 'mail "ä\n"']);
  expect(ledger.counts).toEqual({ 'charge order-1': 2, 'mail "ä\n"': 1 });
});

it('is content with each exactly once', () => {
  for (const effect of ['b', 'a']) ledger.note(effect);
  expect(ledger.problems(['a', 'b'])).toEqual([]);
  ledger.assertEachOnce(new Set(['a', 'b']));
});

it('names all that is missing, double or unexpected', () => {
  for (const effect of ['a', 'c', 'a']) ledger.note(effect);
  expect(() => ledger.assertEachOnce(['a', 'b'])).toThrow(
    'Not exactly once:\nb: never\na: 2 times\nc: 1 times, not expected',
  );
});
