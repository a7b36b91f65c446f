import type { RangeSet } from '@pawl/core';
import { isProblem, isSequence, type Problem } from './envelope.js';
import type { StreamAddress } from './protocol/stream-address.js';
import { addressProblems, fieldsOf, incarnationProblems, uuidProblems } from './session-delivery.js';
import { parseRanges, type WireRanges } from './wire-ranges.js';

/** A sender asks about a message that shall not take effect any more: did it? It travels in place of the message. */
export interface SettlementQuestion extends StreamAddress {
  readonly sequence: number;
  /** The message's. */
  readonly id: string;
}

/** A receiver's answer: these took effect, those did not and never will. */
export interface SettlementAnswer extends StreamAddress {
  readonly receiver: string;
  readonly handled: RangeSet;
  readonly unseen: RangeSet;
}

/** An answer as it travels. */
export interface WireSettlement extends StreamAddress {
  readonly receiver: string;
  readonly handled: WireRanges;
  readonly unseen: WireRanges;
}

/** Numbers that one answer speaks of at most; a batch of deliveries asks about fewer. */
const RANGES_MAX = 1_000;

export function settlementToWire({ handled, unseen, ...rest }: SettlementAnswer): WireSettlement {
  return { ...rest, handled: handled.toRanges(RANGES_MAX), unseen: unseen.toRanges(RANGES_MAX) };
}

/** Reads what came from outside. Never throws. */
export function parseSettlementQuestion(input: unknown): SettlementQuestion | Problem {
  const fields = fieldsOf(input);
  const { stream, partition, incarnation, sequence, id } = fields;
  const problems = [...addressProblems(fields), ...uuidProblems({ id })];
  if (!isSequence(sequence)) problems.push('sequence is invalid');
  if (problems.length > 0) return { problems };
  return { stream, partition, incarnation, sequence, id } as unknown as SettlementQuestion;
}

/** Reads what came from outside. Never throws. */
export function parseSettlementAnswer(input: unknown): SettlementAnswer | Problem {
  const fields = fieldsOf(input);
  const { stream, partition, incarnation, receiver } = fields;
  const problems = [...addressProblems(fields), ...incarnationProblems({ receiver })];
  const handled = parseRanges('handled', fields['handled'], RANGES_MAX);
  const unseen = parseRanges('unseen', fields['unseen'], RANGES_MAX);
  for (const set of [handled, unseen]) if (isProblem(set)) problems.push(...set.problems);
  if (problems.length > 0) return { problems };
  return { stream, partition, incarnation, receiver, handled, unseen } as unknown as SettlementAnswer;
}
