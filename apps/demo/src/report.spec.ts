import { reconcile } from './reconcile.js';
import { faultTable, reconciliationTable, table, verdictTable } from './report.js';

it('aligns numbers to the right and text to the left', () => {
  expect(
    table(
      ['what', 'n'],
      [
        ['a', 1],
        ['longer', 1234],
      ],
    ),
  ).toBe(['what        n', '------  -----', 'a           1', 'longer  1,234'].join('\n'));
});

it('marks a row that does not agree, and gives examples', () => {
  const expected = new Map([
    ['a', 2],
    ['b', 3],
  ]);
  const good = reconcile({
    name: 'good',
    countedIn: 't',
    unit: 'cents',
    expected,
    found: [
      { key: 'a', amount: 2 },
      { key: 'b', amount: 3 },
    ],
  });
  const bad = reconcile({ name: 'bad', countedIn: 't', expected, found: [{ key: 'a', amount: 2 }] });
  const lines = reconciliationTable([good, bad]).split('\n');
  expect(lines[2]).toMatch(/^good .* ok$/);
  expect(lines[3]).toMatch(/in cents +5 +5$/);
  expect(lines[4]).toMatch(/^bad .* MISMATCH$/);
  expect(lines[5]).toBe('  bad: b missing');
});

it('marks a fault that never fired', () => {
  expect(faultTable([{ name: 'kill', fired: 0, detail: 'while it slept' }])).toMatch(/kill +0 +MISMATCH/);
});

it('counts verdicts by rule', () => {
  expect(
    verdictTable(
      new Map([
        ['late applied-before', 2],
        ['applied started', 1],
      ]),
    )
      .split('\n')
      .slice(2),
  ).toEqual(['applied  started               1', 'late     applied-before        2']);
});
