import type { Unruliness } from '../messaging/unruly-transport.js';
import type { Sample } from './sample.js';

/** What a soak has seen. */
export interface SoakReport {
  readonly messages: number;
  readonly partitions: number;
  /** What was allowed to be under way at once. */
  readonly outboxMax: number;
  /** What the rows of all partitions may hold together. A gap is at least one message that is under way. */
  readonly rangesMax: number;
  readonly samples: readonly Sample[];
  readonly atRest: Sample;
  readonly doneTwice: number;
  readonly deadLetters: number;
  readonly losses: number;
  /** What became of message number 1 when it was sent again at the very end. */
  readonly oldCopy: { readonly recognised: boolean; readonly effectsAfterwards: number };
  /** Faults of messages and of acknowledgements; undefined if none were wanted. */
  readonly faults: { readonly there: Unruliness; readonly back: Unruliness } | undefined;
  readonly restarts: number;
  readonly elapsedMs: number;
}

/** One thing that has to be so. */
export interface Finding {
  readonly what: string;
  readonly expected: string | number;
  readonly found: number;
  readonly good: boolean;
}

/** With fewer messages it is chance whether each fault comes. */
const FAULTS_FROM = 5_000;

/** Everything a soak has to show. Pure: a mismatch is a mistake in Pawl, or a fault that never came. */
export function findings(report: SoakReport): Finding[] {
  const { messages, partitions, samples, atRest, oldCopy, faults } = report;
  const most = (of: (sample: Sample) => number): number => Math.max(...samples.map(of));
  return [
    exactly('effects, counted outside of Pawl', messages, atRest.effects),
    exactly('effects that happened twice', 0, report.doneTwice),
    exactly('dead letters and losses', 0, report.deadLetters + report.losses),
    atMost(
      'outbox rows, at most',
      report.outboxMax,
      most(({ outbox }) => outbox),
    ),
    atMost(
      'inbox rows, at most',
      partitions,
      most(({ inboxStreams }) => inboxStreams),
    ),
    atMost(
      'inbox ranges above the watermark, at most',
      report.rangesMax,
      most(({ rangesAbove }) => rangesAbove),
    ),
    exactly('at rest: outbox rows', 0, atRest.outbox),
    exactly('at rest: numbers above the watermark', 0, atRest.aboveWatermark),
    exactly('at rest: rows of attempts', 0, atRest.attempts),
    atLeast('restarts of the receiver', 2, report.restarts),
    exactly('number 1 sent again is recognised', 1, Number(oldCopy.recognised)),
    exactly('effects after that', messages, oldCopy.effectsAfterwards),
    ...(faults === undefined || messages < FAULTS_FROM ? [] : faultFindings(faults)),
  ];
}

/** Without its faults a soak shows nothing. */
function faultFindings({ there, back }: NonNullable<SoakReport['faults']>): Finding[] {
  return (['lost', 'repeated', 'late'] as const).flatMap((fault) => [
    atLeast(`messages ${fault}`, 1, there[fault]),
    atLeast(`acknowledgements ${fault}`, 1, back[fault]),
  ]);
}

function exactly(what: string, expected: number, found: number): Finding {
  return { what, expected, found, good: found === expected };
}

function atMost(what: string, most: number, found: number): Finding {
  return { what, expected: `<= ${most}`, found, good: found <= most };
}

function atLeast(what: string, least: number, found: number): Finding {
  return { what, expected: `>= ${least}`, found, good: found >= least };
}
