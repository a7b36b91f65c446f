import { RangeSet } from '@pawl/core';
import type { PreviousIncarnation } from './begin-incarnation.js';
import { newerIncarnation } from './incarnation.js';
import type { StreamAddress } from './stream-address.js';

/**
 * Asked by a sender before it gives numbers, and now and then afterwards: what have you closed? It takes no number and no place in a
 * window. The answer must name the same nonce, so that one from the past opens nothing.
 */
export interface SessionQuestion extends StreamAddress {
  readonly nonce: string;
  /** The incarnation whose numbers the unacknowledged messages still carry, if it is another one. */
  readonly previous?: PreviousIncarnation;
  /** The receiver's incarnation that the sender goes by; none before the first answer. */
  readonly receiver?: string;
  /** What the sender was told is closed. */
  readonly acknowledged: RangeSet;
  /** Of that, what it can not send again. */
  readonly gone: RangeSet;
}

export interface SessionAnswer extends StreamAddress {
  readonly nonce: string;
  readonly receiver: string;
  readonly closed: RangeSet;
  /** The newest incarnation of the sender that has opened a session. */
  readonly newest: string;
  /** What is closed of the incarnation before, for ever: from now on its copies are refused. */
  readonly previousClosed: RangeSet;
  /** Of that, what a settlement has closed: nobody has handled it. */
  readonly previousSettled: RangeSet;
}

/** One incarnation of a sender, as its receiver remembers it. */
export interface ReceiverStream {
  readonly incarnation: string;
  /** This side's. */
  readonly receiver: string;
  readonly closed: RangeSet;
  /** Of these, the numbers that a settlement has closed; forgotten once the sender has its answer. */
  readonly settled: RangeSet;
}

/** What a question makes the receiver do, in one transaction, before it answers. */
export interface Answering {
  readonly answer: SessionAnswer;
  /** The asking incarnation's row as it is to be; nothing if a newer one has superseded it. */
  readonly stream: ReceiverStream | undefined;
  /** This side was set back: it had acknowledged what it does not have. */
  readonly setBack: boolean;
  /** Numbers that close without an effect, because their sender has them no more: rows of the loss ledger. */
  readonly lost: RangeSet;
  /** The incarnation is new, and messages may come under it that took effect under an older one: their ids are compared. */
  readonly compares: boolean;
}

/**
 * The receiver's part. Opening a session supersedes all older incarnations, so what is closed of them is final. A sender that knows
 * more acknowledged than is closed here proves that this side was set back: it takes a newer incarnation, so that acknowledgements of
 * the lost past are ignored, and gives up what can not come again. A claim that speaks of an older incarnation of this side proves
 * nothing: that was dealt with.
 * @param known every incarnation of the partition's sender, with its row locked
 * @param fresh a new UUIDv7
 */
export function answerQuestion(
  question: SessionQuestion,
  known: readonly ReceiverStream[],
  fresh: string,
): Answering {
  const { stream, partition, incarnation, nonce, receiver: claimed, acknowledged, gone } = question;
  const own = known.find((each) => each.incarnation === incarnation);
  const others = known.filter((each) => each.incarnation !== incarnation);
  const newest = others.reduce(newerOf, incarnation);
  const before = own?.closed ?? RangeSet.empty;
  const head = { stream, partition, incarnation, nonce, newest };
  if (newest > incarnation) {
    const none = { closed: before, previousClosed: RangeSet.empty, previousSettled: RangeSet.empty };
    const answer = { ...head, receiver: own?.receiver ?? fresh, ...none };
    return { answer, stream: undefined, setBack: false, lost: RangeSet.empty, compares: false };
  }
  const setBack = claimed !== undefined && isContradicted(claimed, acknowledged.union(gone), own);
  const lost = gone.minus(before);
  const closed = before.union(lost);
  const renewed = own === undefined || setBack;
  const receiver = renewed ? newerIncarnation(fresh, [own?.receiver, claimed]) : own.receiver;
  const previous = others.find((each) => each.incarnation === question.previous?.incarnation);
  const answer = {
    ...head,
    receiver,
    closed,
    previousClosed: previous?.closed ?? RangeSet.empty,
    previousSettled: previous?.settled ?? RangeSet.empty,
  };
  const settled = (own?.settled ?? RangeSet.empty).minus(gone);
  const row = { incarnation, receiver, closed, settled };
  const compares = own === undefined && mayRepeat(question.previous, others);
  return { answer, stream: row, setBack, lost, compares };
}

function newerOf(most: string, { incarnation }: ReceiverStream): string {
  return incarnation > most ? incarnation : most;
}

/** Whether a sender that goes by the receiver `claimed` knows more of it than it knows of itself. */
function isContradicted(claimed: string, known: RangeSet, own: ReceiverStream | undefined): boolean {
  if (own === undefined || claimed > own.receiver) return true;
  return claimed === own.receiver && known.minus(own.closed).size > 0;
}

/**
 * Whether the sender may have forgotten what it has sent: it does not say which numbers came before, or others came since, or more of
 * them is closed than it remembers to have given. If not, the numbers tell all.
 */
function mayRepeat(previous: PreviousIncarnation | undefined, others: readonly ReceiverStream[]): boolean {
  const newest = others.reduce(newerOf, '');
  const last = others.find(({ incarnation }) => incarnation === newest);
  if (last === undefined) return false;
  return previous?.incarnation !== newest || last.closed.end > previous.nextSequence;
}

/** A sender's partition, as far as a session needs it. */
export interface SenderStream {
  readonly incarnation: string;
  readonly nextSequence: number;
  /** The receiver's incarnation; none before the first answer. */
  readonly receiver: string | undefined;
  /** Of the question that is out; none when it was answered. */
  readonly nonce: string | undefined;
  /** Whose numbers the messages still carry, until the session is open. */
  readonly previous: PreviousIncarnation | undefined;
}

/**
 * - `open`: the session is open, or still is. `receiverIsNew`: the receiver was set back; what it lacks is sent again.
 *   `senderWasSetBack`: it has closed numbers of the previous incarnation that this side does not remember.
 * - `stale`: an answer to another question. Nothing is done.
 * - `superseded`: the receiver knows a newer incarnation of this sender, which has forgotten it. It begins a still newer one.
 * - `never-sent`: the receiver has closed numbers of this incarnation that were not given. This sender was set back without noticing:
 *   it begins a new one.
 */
export type AnswerVerdict =
  | { readonly verdict: 'open'; readonly receiverIsNew: boolean; readonly senderWasSetBack: boolean }
  | { readonly verdict: 'stale' | 'superseded' | 'never-sent' };

/** The sender's part: judges an answer. */
export function judgeAnswer(answer: SessionAnswer, sender: SenderStream): AnswerVerdict {
  if (answer.incarnation !== sender.incarnation || answer.nonce !== sender.nonce) return { verdict: 'stale' };
  if (answer.newest > sender.incarnation) return { verdict: 'superseded' };
  if (sender.receiver !== undefined && answer.receiver < sender.receiver) return { verdict: 'stale' };
  if (answer.closed.end > sender.nextSequence) return { verdict: 'never-sent' };
  return {
    verdict: 'open',
    receiverIsNew: sender.receiver !== undefined && answer.receiver > sender.receiver,
    senderWasSetBack: answer.previousClosed.end > (sender.previous?.nextSequence ?? 0),
  };
}

/** Of the acknowledged messages that are kept for the restore window: those that a receiver which was set back has to get again. */
export function toSendAgain<Row extends { readonly sequence: number }>(
  kept: readonly Row[],
  closed: RangeSet,
): readonly Row[] {
  return kept.filter(({ sequence }) => !closed.has(sequence));
}
