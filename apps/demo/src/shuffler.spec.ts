import fc from 'fast-check';
import { Random } from './random.js';
import { Shuffler } from './shuffler.js';

/** Takes these, one a millisecond, and answers what goes out until nothing is left. */
function shuffle(seed: string, values: readonly number[]): { out: number[]; shuffler: Shuffler<number> } {
  const shuffler = new Shuffler<number>(new Random(seed));
  const out: number[] = [];
  for (let now = 0; now < values.length + 2000; now++) {
    const value = values[now];
    if (value !== undefined) shuffler.take(value, 'shipping', now);
    for (const copies of shuffler.due(now).values()) {
      out.push(...copies.map((copy) => copy.value));
      shuffler.delivered(copies);
    }
  }
  return { out, shuffler };
}

it('lets every message out two or three times', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 60 }), (seed, count) => {
      const { out, shuffler } = shuffle(
        seed,
        Array.from({ length: count }, (_, n) => n),
      );
      const times = Array.from({ length: count }, (_, n) => out.filter((value) => value === n).length);
      expect(times.every((copies) => copies === 2 || copies === 3)).toBe(true);
      expect(shuffler.counts.pending).toEqual({ shipping: 0 });
      expect(2 * shuffler.counts.twice + 3 * shuffler.counts.thrice).toBe(out.length);
    }),
    { numRuns: 30 },
  );
});

it('does each thing at least once with only two messages', () => {
  fc.assert(
    fc.property(fc.string(), (seed) => {
      const { counts } = shuffle(seed, [1, 2]).shuffler;
      expect([counts.twice, counts.thrice]).toEqual([1, 1]);
      expect(counts.overtaken).toBeGreaterThan(0);
    }),
  );
});

it('is the same again for the same seed', () => {
  const values = Array.from({ length: 40 }, (_, n) => n);
  expect(shuffle('a', values).out).toEqual(shuffle('a', values).out);
  expect(shuffle('a', values).out).not.toEqual(shuffle('b', values).out);
});

it('lets out again what could not be delivered', () => {
  const shuffler = new Shuffler<string>(new Random('a'));
  shuffler.take('x', 'orders', 0);
  const first = shuffler.due(5000).get('orders') ?? [];
  shuffler.putBack(first);
  expect(shuffler.due(5001).get('orders')).toHaveLength(first.length);
});
