import type { RangeSet } from '@pawl/core';
import { isProblem, isSequence, isUuid, type Problem } from './envelope.js';
import type { PreviousIncarnation } from './protocol/begin-incarnation.js';
import { isIncarnation } from './protocol/incarnation.js';
import type { SessionAnswer, SessionQuestion } from './protocol/session.js';
import type { StreamAddress } from './protocol/stream-address.js';
import { PARTITIONS_MAX, streamEnds } from './route.js';
import { parseRanges, type WireRanges } from './wire-ranges.js';

/** A sender's question as it travels. */
export interface WireQuestion extends StreamAddress {
  readonly nonce: string;
  readonly previous?: PreviousIncarnation;
  readonly receiver?: string;
  readonly acknowledged: WireRanges;
  readonly gone: WireRanges;
}

/** A receiver's answer as it travels. */
export interface WireAnswer extends StreamAddress {
  readonly nonce: string;
  readonly receiver: string;
  readonly newest: string;
  readonly closed: WireRanges;
  readonly previousClosed: WireRanges;
  readonly previousSettled: WireRanges;
}

/** Most ranges of a set that a session speaks of; `window` and `rangesMax` are below it, so none is cut short. */
export const SESSION_RANGES_MAX = 10_001;

export function questionToWire(question: SessionQuestion): WireQuestion {
  const { acknowledged, gone } = question;
  return { ...question, acknowledged: acknowledged.toRanges(), gone: gone.toRanges() };
}

export function answerToWire(answer: SessionAnswer): WireAnswer {
  const { closed, previousClosed, previousSettled } = answer;
  return {
    ...answer,
    closed: closed.toRanges(),
    previousClosed: previousClosed.toRanges(),
    previousSettled: previousSettled.toRanges(),
  };
}

/** Reads what came from outside. Never throws. */
export function parseQuestion(input: unknown): SessionQuestion | Problem {
  const fields = fieldsOf(input);
  const { stream, partition, incarnation, nonce, receiver, previous } = fields;
  const problems = [...addressProblems(fields), ...uuidProblems({ nonce })];
  if (receiver !== undefined) problems.push(...incarnationProblems({ receiver }));
  if (previous !== undefined && !isPrevious(previous)) problems.push('previous is invalid');
  const sets = parseSets(fields, ['acknowledged', 'gone']);
  if (isProblem(sets)) problems.push(...sets.problems);
  if (problems.length > 0) return { problems };
  const known = {
    ...(receiver !== undefined && { receiver }),
    ...(previous !== undefined && { previous: pickPrevious(previous as PreviousIncarnation) }),
  };
  return { stream, partition, incarnation, nonce, ...known, ...sets } as unknown as SessionQuestion;
}

/** Reads what came from outside. Never throws. */
export function parseAnswer(input: unknown): SessionAnswer | Problem {
  const fields = fieldsOf(input);
  const { stream, partition, incarnation, nonce, receiver, newest } = fields;
  const problems = [
    ...addressProblems(fields),
    ...uuidProblems({ nonce }),
    ...incarnationProblems({ receiver, newest }),
  ];
  const sets = parseSets(fields, ['closed', 'previousClosed', 'previousSettled']);
  if (isProblem(sets)) problems.push(...sets.problems);
  if (problems.length > 0) return { problems };
  return { stream, partition, incarnation, nonce, receiver, newest, ...sets } as unknown as SessionAnswer;
}

/** What is wrong with the place that an outside delivery speaks of. */
export function addressProblems({ stream, partition, incarnation }: Fields): string[] {
  const problems = incarnationProblems({ incarnation });
  if (typeof stream !== 'string' || streamEnds(stream) === undefined) problems.push('stream is invalid');
  if (!isSequence(partition) || partition >= PARTITIONS_MAX) problems.push('partition is invalid');
  return problems;
}

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(input: unknown): Fields {
  return (typeof input === 'object' && input !== null ? input : {}) as Fields;
}

export function uuidProblems(fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, value]) => (isUuid(value) ? [] : [`${name} is invalid`]));
}

export function incarnationProblems(fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    isIncarnation(value) ? [] : [`${name} is invalid`],
  );
}

function parseSets(fields: Fields, names: readonly string[]): Record<string, RangeSet> | Problem {
  const sets: Record<string, RangeSet> = {};
  for (const name of names) {
    const set = parseRanges(name, fields[name], SESSION_RANGES_MAX);
    if (isProblem(set)) return set;
    sets[name] = set;
  }
  return sets;
}

function isPrevious(input: unknown): boolean {
  const { incarnation, nextSequence } = fieldsOf(input);
  return isIncarnation(incarnation) && isSequence(nextSequence);
}

function pickPrevious({ incarnation, nextSequence }: PreviousIncarnation): PreviousIncarnation {
  return { incarnation, nextSequence };
}
