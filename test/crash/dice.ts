/** A random generator that gives the same numbers for the same seed (mulberry32). */
export class Dice {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed;
  }

  /** The seed of the environment (`SEED=...`, to see a failure again), or a new one. */
  static fromEnvironment(): Dice {
    return new Dice(Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31)));
  }

  /** A whole number from `from` up to, but not including, `to`. */
  between(from: number, to: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return from + (((mixed ^ (mixed >>> 14)) >>> 0) % (to - from));
  }
}
