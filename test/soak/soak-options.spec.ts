import { readSoakOptions } from './soak-options.js';

it('are a hundred thousand messages through memory, with faults of any seed, unless said otherwise', () => {
  expect(readSoakOptions([])).toEqual({
    ...{ messages: 100_000, bus: 'memory', faults: true, help: false, seed: expect.any(Number) as number },
  });
});

it('are taken from the command line', () => {
  const args = ['--messages', '20000', '--bus', 'redis', '--seed', '7', '--no-faults'];
  expect(readSoakOptions(args)).toEqual({
    messages: 20_000,
    bus: 'redis',
    seed: 7,
    faults: false,
    help: false,
  });
});

it('are refused with every problem', () => {
  expect(() => readSoakOptions(['--messages', '1', '--bus', 'carrier-pigeon', '--seed', 'x'])).toThrow(
    /--messages "1"[^]*--bus "carrier-pigeon" is none of memory, redis, postgres[^]*--seed "x"/,
  );
});

it('that nobody knows are refused', () => {
  expect(() => readSoakOptions(['--fast'])).toThrow(/Unknown option '--fast'/);
});
