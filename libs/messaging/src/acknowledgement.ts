import type { RangeSet } from '@pawl/core';
import { isProblem, isSequence, type Problem } from './envelope.js';
import { isIncarnation } from './protocol/incarnation.js';
import { PARTITIONS_MAX, streamEnds } from './route.js';
import { parseRanges } from './wire-ranges.js';

/**
 * What a receiver tells the sender of a stream partition: these numbers are stored, send them no more. Cumulative, so a lost one is
 * made good by the next and a repeated one does nothing. It takes no number and no place in a window.
 */
export interface Acknowledgement {
  readonly stream: string;
  readonly partition: number;
  /** Of the sending side: numbers of another one are others. */
  readonly incarnation: string;
  /** Of the receiving side: an old one may speak of what a restored receiver has lost. */
  readonly receiver: string;
  readonly closed: RangeSet;
}

/** An acknowledgement as it travels. */
export interface WireAcknowledgement {
  readonly stream: string;
  readonly partition: number;
  readonly incarnation: string;
  readonly receiver: string;
  /** Pairs [from, to), lowest first, at most {@link RANGES_MAX} of them. */
  readonly closed: readonly (readonly [number, number])[];
}

/** The ranges an acknowledgement names; what lies beyond is named by a later one. */
export const RANGES_MAX = 200;

export function toWire(acknowledgement: Acknowledgement): WireAcknowledgement {
  return { ...acknowledgement, closed: acknowledgement.closed.toRanges(RANGES_MAX) };
}

/** Reads what came from outside. Never throws. */
export function parseAcknowledgement(input: unknown): Acknowledgement | Problem {
  if (input === null || typeof input !== 'object') return { problems: ['is not an object'] };
  const { stream, partition, incarnation, receiver, closed } = input as Partial<WireAcknowledgement>;
  const problems: string[] = [];
  if (typeof stream !== 'string' || streamEnds(stream) === undefined) problems.push('stream is invalid');
  if (!isSequence(partition) || partition >= PARTITIONS_MAX) problems.push('partition is invalid');
  if (!isIncarnation(incarnation)) problems.push('incarnation is invalid');
  if (!isIncarnation(receiver)) problems.push('receiver is invalid');
  const numbers = parseRanges('closed', closed, RANGES_MAX);
  if (isProblem(numbers)) problems.push(...numbers.problems);
  if (problems.length > 0) return { problems };
  return { stream, partition, incarnation, receiver, closed: numbers } as Acknowledgement;
}
