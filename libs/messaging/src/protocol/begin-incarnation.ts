import type { RangeSet } from '@pawl/core';
import { newerIncarnation } from './incarnation.js';

/** A sender's partition, as far as it decides whether its incarnation goes on. */
export interface SenderIncarnation {
  readonly incarnation: string;
  readonly nextSequence: number;
  /** The incarnation whose numbers its messages still carry, if it is another one: no session was opened since. */
  readonly previous: PreviousIncarnation | undefined;
  /** On which state of the database it began: changes with a restart, a fail-over and a restore, and never comes back. */
  readonly storage: string;
}

export interface PreviousIncarnation {
  readonly incarnation: string;
  readonly nextSequence: number;
}

/**
 * Whether a sender has to begin a new incarnation before it gives another number. On another state of the database what it remembers
 * may be old: numbers that it believes are free may be out, on messages that it has forgotten.
 */
export function mustBeginAnew({ storage }: SenderIncarnation, now: string): boolean {
  return storage !== now;
}

/**
 * How a sender begins anew. Its messages keep their old numbers until the receiver has answered the new session: what is closed of
 * `previous` is final then, and they need not be sent again. Not so if it was found out only after numbers were given (`numbersReused`):
 * one number may stand for two messages, so all are sent again and the receiver can only tell them by their ids.
 * @param fresh a new UUIDv7
 * @param newest the newest incarnation that the receiver has told of
 */
export function beginIncarnation(
  { incarnation, nextSequence, previous }: SenderIncarnation,
  { fresh, newest, numbersReused }: { fresh: string; newest?: string; numbersReused: boolean },
): { readonly incarnation: string; readonly previous: PreviousIncarnation | undefined } {
  return {
    incarnation: newerIncarnation(fresh, [incarnation, newest]),
    previous: numbersReused
      ? undefined
      : (previous ?? (nextSequence > 0 ? { incarnation, nextSequence } : undefined)),
  };
}

/** A message with a number of the previous incarnation. */
export interface Carried {
  readonly sequence: number;
  /** Whether it was waived, and its receiver asked whether it took effect. */
  readonly waived: boolean;
}

/**
 * What becomes of the messages that carry numbers of the previous incarnation, once it is final what is closed of it: they took effect,
 * they were waived in time, or they get a new number and are sent again (also what was waived by a state of this side that is lost).
 */
export function carryOver<Row extends Carried>(
  rows: readonly Row[],
  {
    previousClosed,
    previousSettled,
  }: { readonly previousClosed: RangeSet; readonly previousSettled: RangeSet },
): { readonly done: readonly Row[]; readonly unseen: readonly Row[]; readonly again: readonly Row[] } {
  const isDone = ({ sequence }: Row): boolean =>
    previousClosed.has(sequence) && !previousSettled.has(sequence);
  const isUnseen = ({ sequence, waived }: Row): boolean => waived && previousSettled.has(sequence);
  return {
    done: rows.filter(isDone),
    unseen: rows.filter(isUnseen),
    again: rows.filter((row) => !isDone(row) && !isUnseen(row)),
  };
}
