import { agrees, reconcile } from './reconcile.js';
import type { Found } from './reconcile.js';

const expected = new Map([
  ['a', 100],
  ['b', 250],
  ['c', 30],
]);
const right: readonly Found[] = [...expected].map(([key, amount]) => ({ key, amount }));

function rowOf(found: readonly Found[]) {
  return reconcile({ name: 'charge', countedIn: 'file', unit: 'cents', expected, found });
}

it('agrees when each effect is found once, in any order', () => {
  const row = rowOf([...right].reverse());
  expect(row).toMatchObject({ expected: 3, found: 3, duplicates: 0, losses: 0, wrong: 0 });
  expect(row.amounts).toEqual({ unit: 'cents', expected: 380, found: 380 });
  expect(agrees(row)).toBe(true);
});

it('finds a planted duplicate', () => {
  const row = rowOf([...right, { key: 'b', amount: 250 }]);
  expect(row).toMatchObject({ duplicates: 1, losses: 0, wrong: 0, examples: ['b 2 times'] });
  expect(agrees(row)).toBe(false);
});

it('finds a planted loss', () => {
  const row = rowOf(right.slice(1));
  expect(row).toMatchObject({ duplicates: 0, losses: 1, wrong: 0, examples: ['a missing'] });
  expect(agrees(row)).toBe(false);
});

it('finds a duplicate that hides a loss', () => {
  const row = rowOf([...right.slice(1), { key: 'b', amount: 250 }]);
  expect(row).toMatchObject({ expected: 3, found: 3, duplicates: 1, losses: 1 });
  expect(agrees(row)).toBe(false);
});

it('finds two wrong amounts whose sum is right', () => {
  const row = rowOf([right[0], { key: 'b', amount: 249 }, { key: 'c', amount: 31 }] as Found[]);
  expect(row.amounts).toEqual({ unit: 'cents', expected: 380, found: 380 });
  expect(row).toMatchObject({
    duplicates: 0,
    losses: 0,
    wrong: 2,
    examples: ['b is 249, not 250', 'c is 31, not 30'],
  });
  expect(agrees(row)).toBe(false);
});

it('finds what nobody expected', () => {
  const row = rowOf([...right, { key: 'z', amount: 1 }]);
  expect(row).toMatchObject({ found: 4, wrong: 1, examples: ['z is 1, not expected'] });
  expect(agrees(row)).toBe(false);
});

it('does not agree when nothing is found', () => {
  expect(agrees(rowOf([]))).toBe(false);
});
