import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PawlError } from '@pawl/core';

/** How often each effect was noted. */
export type EffectCounts = Readonly<Record<string, number>>;

/**
 * Counts effects outside of the engine, which does not grade itself: a file that is only appended to. An effect is noted at the moment at which it happens, by
 * the process in which it happens; a note is in the file once `note` has returned, whatever becomes of the process (SIGKILL too, a power cut not).
 *
 * The test makes one (`create`) and hands its `file` to the processes that it starts; each of them opens it (`open`).
 */
export class EffectLedger {
  private constructor(
    readonly file: string,
    private readonly isOurs: boolean,
  ) {}

  /** A new ledger in a temporary directory; `remove` it at the end. */
  static create(): EffectLedger {
    const ledger = new EffectLedger(join(mkdtempSync(join(tmpdir(), 'pawl-effects-')), 'effects'), true);
    writeFileSync(ledger.file, '');
    return ledger;
  }

  static open(file: string): EffectLedger {
    return new EffectLedger(file, false);
  }

  /** An effect has happened. Its name tells it from all others: `charge order-1`, or its idempotency key. */
  note(effect: string): void {
    appendFileSync(this.file, `${JSON.stringify(effect)}\n`);
  }

  /** In the order in which they happened. */
  get effects(): readonly string[] {
    const lines = readFileSync(this.file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as string);
  }

  get counts(): EffectCounts {
    const counts: Record<string, number> = {};
    for (const effect of this.effects) counts[effect] = (counts[effect] ?? 0) + 1;
    return counts;
  }

  /** What is wrong if each of these should have happened exactly once, and nothing else: a line for each; none if all is well. */
  problems(expected: Iterable<string>): string[] {
    const { counts } = this;
    const wanted = new Set(expected);
    const unexpected = Object.keys(counts).filter((effect) => !wanted.has(effect));
    return [
      ...[...wanted].filter((effect) => counts[effect] === undefined).map((effect) => `${effect}: never`),
      ...[...wanted]
        .filter((effect) => (counts[effect] ?? 0) > 1)
        .map((effect) => `${effect}: ${counts[effect]} times`),
      ...unexpected.map((effect) => `${effect}: ${counts[effect]} times, not expected`),
    ];
  }

  /** @throws PawlError `effects_not_exactly_once` with everything that is missing, double or unexpected */
  assertEachOnce(expected: Iterable<string>): void {
    const problems = this.problems(expected);
    if (problems.length === 0) return;
    throw new PawlError('effects_not_exactly_once', `Not exactly once:\n${problems.join('\n')}`, {
      problems,
    });
  }

  /** Removes the file of a ledger that was created here. */
  remove(): void {
    if (this.isOurs) rmSync(dirname(this.file), { recursive: true, force: true });
  }
}
