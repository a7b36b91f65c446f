import fc from 'fast-check';
import { RangeSet } from './range-set.js';

const LIMIT = 40;
const numbers = fc.array(fc.nat(LIMIT - 1), { maxLength: 60 });
const span = fc.tuple(fc.nat(LIMIT), fc.nat(LIMIT));

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, n) => from + n);
const members = (set: RangeSet): number[] => range(0, LIMIT + 1).filter((n) => set.has(n));
const sorted = (set: Set<number>): number[] => [...set].sort((a, b) => a - b);

it('has the members of a plain set to which the same was added, in any order', () => {
  fc.assert(
    fc.property(numbers, (added) => {
      const [set, plain] = [RangeSet.of(...added), new Set(added)];
      expect(members(set)).toEqual(sorted(plain));
      expect(set.size).toBe(plain.size);
      expect(set.end).toBe(plain.size === 0 ? 0 : Math.max(...plain) + 1);
      expect(set.toString()).toBe(RangeSet.of(...[...added].reverse()).toString());
    }),
  );
});

it('adds ranges as it adds their members', () => {
  fc.assert(
    fc.property(numbers, span, (added, [from, to]) => {
      expect(members(RangeSet.of(...added).addRange(from, to))).toEqual(
        sorted(new Set([...added, ...range(from, to)])),
      );
    }),
  );
});

it('takes away as plain sets do, and leaves both as they were', () => {
  fc.assert(
    fc.property(numbers, numbers, (some, others) => {
      const [a, b] = [RangeSet.of(...some), RangeSet.of(...others)];
      const before = [a.toString(), b.toString()];
      const taken = new Set(others);
      expect(members(a.minus(b))).toEqual(sorted(new Set(some.filter((n) => !taken.has(n)))));
      expect([a.toString(), b.toString()]).toEqual(before);
    }),
  );
});

it('unites as plain sets do, and leaves both as they were', () => {
  fc.assert(
    fc.property(numbers, numbers, (some, others) => {
      const [a, b] = [RangeSet.of(...some), RangeSet.of(...others)];
      const before = [a.toString(), b.toString()];
      expect(members(a.union(b))).toEqual(sorted(new Set([...some, ...others])));
      expect([a.toString(), b.toString()]).toEqual(before);
    }),
  );
});

it('knows what is missing and from where on', () => {
  fc.assert(
    fc.property(numbers, fc.nat(LIMIT), fc.nat(LIMIT), (added, count, limit) => {
      const [set, plain] = [RangeSet.of(...added), new Set(added)];
      const missing = range(0, count).filter((n) => !plain.has(n));
      expect(set.missing(count, limit)).toEqual(missing.slice(0, limit));
      expect(set.covers(count)).toBe(missing.length === 0);
      expect(set.watermark).toBe(range(0, LIMIT + 1).findIndex((n) => !plain.has(n)));
    }),
  );
});

it('is read back from its own text, in as few ranges as there are gaps', () => {
  fc.assert(
    fc.property(numbers, (added) => {
      const set = RangeSet.of(...added);
      const starts = new Set(added.filter((n) => !added.includes(n - 1)));
      expect(set.rangeCount).toBe(starts.size);
      expect(set.toRanges(1)).toEqual(set.toRanges().slice(0, 1));
      expect(RangeSet.parse(set.toString()).toString()).toBe(set.toString());
    }),
  );
});

it('is of constant size as long as there is no gap', () => {
  expect(RangeSet.upTo(1_000_000).toString()).toBe('{[0,1000000)}');
  expect(RangeSet.upTo(0)).toEqual(RangeSet.empty);
});

it.each(['', '{', '{[1,2]}', '{[-1,2)}', '{[1,2),}', '{(0,2)}', '{[a,b)}', '[0,1)'])(
  'refuses the text %p',
  (text) => {
    expect(() => RangeSet.parse(text)).toThrow('Not a range set');
  },
);

it('reads ranges that overlap or stand in no order, as PostgreSQL would not write them', () => {
  expect(RangeSet.parse('{[5,7),[0,2),[1,5),[9,9)}').toString()).toBe('{[0,7)}');
});
