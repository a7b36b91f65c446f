import { PawlError } from './pawl-error.js';

/**
 * A set of non-negative whole numbers kept as sorted, disjoint, half-open ranges. Contiguous numbers cost one range,
 * so a set that fills up without gaps stays of constant size. The text form is PostgreSQL's `int8multirange`.
 */
export class RangeSet {
  private constructor(private readonly ranges: readonly (readonly [number, number])[]) {}

  static readonly empty = new RangeSet([]);

  /** Reads `{[0,4),[7,8)}`; throws on anything else. */
  static parse(text: string): RangeSet {
    if (!/^\{(\[\d+,\d+\)(,\[\d+,\d+\))*)?\}$/.test(text)) {
      throw new PawlError('invalid_range_set', `Not a range set: ${text.slice(0, 80)}`);
    }
    const pairs = [...text.matchAll(/\[(\d+),(\d+)\)/g)].map(
      ([, from, to]) => [Number(from), Number(to)] as const,
    );
    return pairs.reduce((set, [from, to]) => set.addRange(from, to), RangeSet.empty);
  }

  /** The numbers `0 ... count - 1`. */
  static upTo(count: number): RangeSet {
    return RangeSet.empty.addRange(0, count);
  }

  static of(...numbers: number[]): RangeSet {
    return numbers.reduce((set, n) => set.add(n), RangeSet.empty);
  }

  get rangeCount(): number {
    return this.ranges.length;
  }

  /** How many numbers are in the set. */
  get size(): number {
    return this.ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  /** One more than the largest member; 0 for the empty set. */
  get end(): number {
    return this.ranges.at(-1)?.[1] ?? 0;
  }

  /** How many numbers from 0 on are in the set without a gap. */
  get watermark(): number {
    const first = this.ranges[0];
    return first?.[0] === 0 ? first[1] : 0;
  }

  has(n: number): boolean {
    return this.ranges.some(([from, to]) => from <= n && n < to);
  }

  add(n: number): RangeSet {
    return this.addRange(n, n + 1);
  }

  addRange(from: number, to: number): RangeSet {
    if (from >= to) return this;
    const before = this.ranges.filter(([, end]) => end < from);
    const after = this.ranges.filter(([start]) => start > to);
    const touching = this.ranges.slice(before.length, this.ranges.length - after.length);
    const start = Math.min(from, touching[0]?.[0] ?? from);
    const end = Math.max(to, touching.at(-1)?.[1] ?? to);
    return new RangeSet([...before, [start, end], ...after]);
  }

  union(other: RangeSet): RangeSet {
    return other.ranges.reduce<RangeSet>((set, [from, to]) => set.addRange(from, to), this);
  }

  /** The members that the other set has not. */
  minus(other: RangeSet): RangeSet {
    let left = RangeSet.empty;
    for (const [from, to] of this.ranges) {
      let start = from;
      for (const [taken, end] of other.ranges) {
        if (end <= start || taken >= to) continue;
        left = left.addRange(start, taken);
        start = end;
      }
      left = left.addRange(start, to);
    }
    return left;
  }

  /** Whether every one of `0 ... count - 1` is in the set. */
  covers(count: number): boolean {
    return this.watermark >= count;
  }

  /** The first `limit` of `0 ... count - 1` that are not in the set. */
  missing(count: number, limit: number): number[] {
    const absent: number[] = [];
    for (let n = 0; n < count && absent.length < limit; n++) if (!this.has(n)) absent.push(n);
    return absent;
  }

  /** The ranges from the lowest, at most `limit` of them. */
  toRanges(limit = Number.POSITIVE_INFINITY): (readonly [number, number])[] {
    return this.ranges.slice(0, limit);
  }

  toString(): string {
    return `{${this.ranges.map(([from, to]) => `[${from},${to})`).join(',')}}`;
  }
}
