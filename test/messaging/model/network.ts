import type { RangeSet } from '@pawl/core';
import type { AcknowledgementClaim } from '../../../libs/messaging/src/protocol/judge-acknowledgement.js';
import type { SessionAnswer, SessionQuestion } from '../../../libs/messaging/src/protocol/session.js';

/** Something on its way. */
export type Copy =
  MessageCopy | AcknowledgementCopy | QuestionCopy | AnswerCopy | SettlementCopy | SettledCopy;

export interface MessageCopy {
  readonly kind: 'message';
  readonly key: string;
  readonly message: string;
  readonly incarnation: string;
  readonly sequence: number;
}

export interface AcknowledgementCopy {
  readonly kind: 'acknowledgement';
  readonly key: string;
  readonly claim: AcknowledgementClaim;
}

export interface QuestionCopy {
  readonly kind: 'question';
  readonly key: string;
  readonly question: SessionQuestion;
}

export interface AnswerCopy {
  readonly kind: 'answer';
  readonly key: string;
  readonly answer: SessionAnswer;
  /** To what, and by the receiver of which past: for {@link History.answered}. */
  readonly told: string;
}

/** The question whether a waived message took effect: it travels in place of the message. */
export interface SettlementCopy extends Omit<MessageCopy, 'kind'> {
  readonly kind: 'settlement';
}

export interface SettledCopy {
  readonly kind: 'settled';
  readonly key: string;
  readonly incarnation: string;
  readonly receiver: string;
  readonly handled: RangeSet;
  readonly unseen: RangeSet;
}

/** Puts a copy on its way; one that is equal to another is that other. */
export function send(network: readonly Copy[], copy: Copy): readonly Copy[] {
  const at = network.findIndex(({ key }) => key >= copy.key);
  if (network[at]?.key === copy.key) return network;
  return at < 0 ? [...network, copy] : [...network.slice(0, at), copy, ...network.slice(at)];
}

/** Takes a copy away, and with it all that are equal to it. */
export function remove(network: readonly Copy[], copy: Copy): readonly Copy[] {
  return network.filter((each) => each !== copy);
}

export const copies = {
  message: (message: string, incarnation: string, sequence: number): MessageCopy => ({
    kind: 'message',
    key: `${message} as ${short(incarnation)}#${sequence}`,
    message,
    incarnation,
    sequence,
  }),
  settlement: (message: string, incarnation: string, sequence: number): SettlementCopy => ({
    kind: 'settlement',
    key: `question whether ${message} as ${short(incarnation)}#${sequence} took effect`,
    message,
    incarnation,
    sequence,
  }),
  settled: (answer: Omit<SettledCopy, 'kind' | 'key'>): SettledCopy => {
    const { incarnation, receiver, handled, unseen } = answer;
    const key = `answer by ${short(receiver)} of ${short(incarnation)}: handled ${brief(handled)}, unseen ${brief(unseen)}`;
    return { kind: 'settled', key, ...answer };
  },
  acknowledgement: (claim: AcknowledgementClaim): AcknowledgementCopy => ({
    kind: 'acknowledgement',
    key: `acknowledgement by ${short(claim.receiver)} of ${short(claim.incarnation)}${brief(claim.closed)}`,
    claim,
  }),
  question: (question: SessionQuestion): QuestionCopy => {
    const { incarnation, nonce, previous, receiver, acknowledged, gone } = question;
    const beyond = [
      previous && `after ${short(previous.incarnation)}+${previous.nextSequence}`,
      receiver && `of ${short(receiver)}`,
      acknowledged.size > 0 && `having ${brief(acknowledged)}`,
      gone.size > 0 && `without ${brief(gone)}`,
    ].filter(Boolean);
    const key = [`question ${short(nonce)} for ${short(incarnation)}`, ...beyond].join(' ');
    return { kind: 'question', key, question };
  },
  answer: (answer: SessionAnswer, told: string): AnswerCopy => {
    const { incarnation, nonce, receiver, closed, newest, previousClosed, previousSettled } = answer;
    const key = `answer ${short(nonce)} by ${short(receiver)} of ${short(incarnation)}${brief(closed)}`;
    const newer = newest === incarnation ? '' : ` though ${short(newest)} is newer`;
    const settled = previousSettled.size > 0 ? ` settled ${brief(previousSettled)}` : '';
    const before = previousClosed.size > 0 ? `, before ${brief(previousClosed)}${settled}` : '';
    return { kind: 'answer', key: `${key}${newer}${before}`, answer, told };
  },
};

/** The n-th name in a world: a UUIDv7 made later than those before. */
export function name(n: number): string {
  return `${n.toString(16).padStart(8, '0')}-0000-7000-8000-000000000000`;
}

/** As people call it. */
export function short(name: string): string {
  return `~${Number.parseInt(name.slice(0, 8), 16)}`;
}

function brief(set: RangeSet): string {
  return set
    .toString()
    .replace(/\[(\d+),(\d+)\)/g, (_, from, to) => (+to - +from === 1 ? from : `${from}-${+to - 1}`));
}
