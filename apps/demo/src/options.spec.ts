import { readOptions } from './options.js';

function problemsOf(...args: string[]): readonly string[] {
  try {
    readOptions(args);
  } catch (error) {
    return (error as { problems: readonly string[] }).problems;
  }
  throw new Error(`${args.join(' ')} was taken`);
}

it('has every fault, and orders of a new seed each time, by default', () => {
  const options = readOptions([]);
  expect(options).toMatchObject({
    faults: true,
    keep: false,
    orders: undefined,
    redis: undefined,
    data: undefined,
  });
  expect(options.seed).toMatch(/^\d{1,6}$/);
});

it('reads what it documents', () => {
  const args = [
    '--orders',
    '15',
    '--redis',
    'redis://127.0.0.1:7000',
    '--data',
    './northwind',
    '--seed',
    'x',
  ];
  expect(readOptions([...args, '--no-faults', '--rescue-every', '1h', '--drop-hints'])).toMatchObject({
    orders: 15,
    redis: 'redis://127.0.0.1:7000',
    data: './northwind',
    seed: 'x',
    faults: false,
    rescueEveryMs: 3_600_000,
    dropHints: true,
  });
});

it('names every problem at once, each with a remedy', () => {
  const problems = problemsOf(
    '--orders',
    '0',
    '--redis',
    'localhost:6379',
    '--rescue-every',
    'often',
    '--seed=',
  );
  expect(problems).toEqual([
    expect.stringMatching(/^--orders "0" .* for example --orders 50$/),
    expect.stringMatching(/^--redis "localhost:6379" .* for example --redis redis:/),
    expect.stringMatching(/^--rescue-every "often" .* for example --rescue-every 30s/),
    expect.stringMatching(/^--seed needs a value/),
  ]);
});

it.each(['1.5', '-3', '1e3', 'ten', '100001', ' 5'])('refuses %j orders', (orders) => {
  expect(problemsOf(`--orders=${orders}`)).toHaveLength(1);
});

it('says how to hand an option through npm when it does not know one', () => {
  expect(problemsOf('--order', '5')).toEqual([expect.stringContaining('npm run demo -- --orders 50')]);
  expect(problemsOf('50')).toEqual([expect.stringContaining('npm run demo -- --orders 50')]);
});
