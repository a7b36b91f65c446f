import type { SubjectRule } from '../model/definition.js';
import { runLimits } from './limits.js';
import { callUserCode, UserCodeError } from './user-code.js';

/** What an event is about within its run. `text` is its stored form: '', `item:3`, `key:abc`. */
export type Subject =
  | { readonly kind: 'single'; readonly text: '' }
  | { readonly kind: 'item'; readonly text: string; readonly index: number }
  | { readonly kind: 'key'; readonly text: string; readonly key: string };

/** The subject that a payload names, or what is wrong with it. */
export function subjectOf(rule: SubjectRule, payload: unknown): Subject | { readonly problem: string } {
  if (rule.kind === 'single') return { kind: 'single', text: '' };
  try {
    return rule.kind === 'item'
      ? itemSubject(callUserCode('item', () => rule.of(payload)))
      : keySubject(callUserCode('key', () => rule.of(payload)));
  } catch (error) {
    if (error instanceof UserCodeError) return { problem: error.message };
    throw error;
  }
}

function itemSubject(index: unknown): Subject | { readonly problem: string } {
  if (isCount(index, runLimits.itemIndexMax)) return { kind: 'item', text: `item:${index}`, index };
  return { problem: `item index ${String(index)} is not a whole number from 0 to ${runLimits.itemIndexMax}` };
}

function keySubject(key: unknown): Subject | { readonly problem: string } {
  if (typeof key !== 'string' || key === '') return { problem: 'the key is not a string, or empty' };
  if (key.length > runLimits.keyLengthMax) {
    return { problem: `the key has ${key.length} characters, at most ${runLimits.keyLengthMax} are allowed` };
  }
  if (/[\p{Cc}\p{Cs}]/u.test(key)) return { problem: 'the key contains control characters' };
  return { kind: 'key', text: `key:${key}`, key };
}

/** Whether a value is a whole number from 0 to `max`. */
export function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
}
