import { RangeSet } from '@pawl/core';
import { isSequence, type Problem } from './envelope.js';

/** A set of numbers as it travels: pairs [from, to), lowest first. */
export type WireRanges = readonly (readonly [number, number])[];

/** Reads what came from outside, at most `max` ranges. Never throws. */
export function parseRanges(name: string, input: unknown, max: number): RangeSet | Problem {
  const invalid = { problems: [`${name} is invalid`] };
  if (!Array.isArray(input) || input.length > max) return invalid;
  let [text, least] = ['', 0];
  for (const pair of input as unknown[]) {
    if (!Array.isArray(pair)) return invalid;
    const [from, to] = pair as unknown[];
    if (!isSequence(from) || !isSequence(to) || from >= to || from < least) return invalid;
    text += `${text === '' ? '' : ','}[${from},${to})`;
    least = to;
  }
  return RangeSet.parse(`{${text}}`);
}
