import { RangeSet } from '@pawl/core';
import { beginIncarnation, carryOver } from './begin-incarnation.js';
import { numbersToGive } from './give-numbers.js';
import { newerIncarnation } from './incarnation.js';
import { judgeArrival } from './judge-arrival.js';
import { answerQuestion, judgeAnswer, type SessionAnswer, type SessionQuestion } from './session.js';
import { settle } from './settlement.js';

const uuid = (n: number): string => `019a0000-0000-7000-8000-00000000000${n}`;
const [FIRST, SECOND, RECEIVER, NEWER, FRESH] = [1, 2, 3, 4, 5].map(uuid) as [
  string,
  string,
  string,
  string,
  string,
];
const none = RangeSet.empty;
const question: SessionQuestion = {
  stream: 'orders.shipping',
  partition: 0,
  incarnation: SECOND,
  nonce: uuid(9),
  acknowledged: none,
  gone: none,
};
const own = { incarnation: SECOND, receiver: RECEIVER, closed: RangeSet.upTo(4), settled: none };
const before = { incarnation: FIRST, receiver: RECEIVER, closed: RangeSet.of(0, 2), settled: RangeSet.of(2) };

describe('a receiver that is asked', () => {
  it('opens the session, and says what is final of the one before', () => {
    const { answer, stream, setBack, compares } = answerQuestion(
      { ...question, previous: { incarnation: FIRST, nextSequence: 3 } },
      [before],
      FRESH,
    );
    expect([String(answer.previousClosed), String(answer.previousSettled)]).toEqual([
      '{[0,1),[2,3)}',
      '{[2,3)}',
    ]);
    expect([stream?.receiver, setBack, compares]).toEqual([FRESH, false, false]);
  });

  it('compares ids if the sender has forgotten numbers that are closed', () => {
    const asked = { ...question, previous: { incarnation: FIRST, nextSequence: 2 } };
    expect(answerQuestion(asked, [before], FRESH).compares).toBe(true);
    expect(answerQuestion(question, [before], FRESH).compares).toBe(true);
  });

  it('names a newer incarnation, and changes nothing', () => {
    const { answer, stream } = answerQuestion({ ...question, incarnation: FIRST }, [before, own], FRESH);
    expect([answer.newest, stream]).toEqual([SECOND, undefined]);
  });

  it('begins anew if it lacks what it has acknowledged, and gives up what can not come again', () => {
    const claims = { receiver: RECEIVER, acknowledged: RangeSet.upTo(6), gone: RangeSet.upTo(5) };
    const { answer, setBack, lost } = answerQuestion({ ...question, ...claims }, [own], FRESH);
    expect([setBack, String(lost), answer.receiver, answer.closed.watermark]).toEqual([
      true,
      '{[4,5)}',
      FRESH,
      5,
    ]);
  });

  it('believes no claim about an older incarnation of its own', () => {
    const claims = { receiver: FIRST, acknowledged: RangeSet.upTo(6) };
    expect(answerQuestion({ ...question, ...claims }, [own], FRESH).setBack).toBe(false);
  });
});

describe('a sender that is answered', () => {
  const sender = {
    incarnation: SECOND,
    nextSequence: 4,
    receiver: RECEIVER,
    nonce: uuid(9),
    previous: undefined,
  };
  const answer: SessionAnswer = { ...answerQuestion(question, [own], FRESH).answer };

  it('opens the session', () => {
    const open = { verdict: 'open', receiverIsNew: false, senderWasSetBack: false };
    expect(judgeAnswer(answer, sender)).toEqual(open);
    expect(judgeAnswer({ ...answer, receiver: NEWER }, sender)).toEqual({ ...open, receiverIsNew: true });
  });

  it.each([
    ['stale', { nonce: uuid(8) }],
    ['stale', { incarnation: FIRST }],
    ['stale', { receiver: FIRST }],
    ['superseded', { newest: NEWER }],
    ['never-sent', { closed: RangeSet.upTo(5) }],
  ])('%s: %j', (verdict, fields) => {
    expect(judgeAnswer({ ...answer, ...fields }, sender)).toEqual({ verdict });
  });
});

it('gives no number before the session is open, and none beyond the window', () => {
  const bounds = { window: 10, atOnce: 5 };
  expect(numbersToGive({ open: false, unacknowledged: 0 }, bounds)).toBe(0);
  expect(numbersToGive({ open: true, unacknowledged: 8 }, bounds)).toBe(2);
});

it('sends nothing again that is closed, unless its number may stand for another message', () => {
  const rows = [0, 1, 2].map((sequence) => ({ sequence, waived: sequence === 2 }));
  const closed = { previousClosed: before.closed, previousSettled: before.settled };
  const { done, unseen, again } = carryOver(rows, closed);
  expect([done, unseen, again].map((each) => each.map(({ sequence }) => sequence))).toEqual([[0], [2], [1]]);
  const ending = { incarnation: FIRST, nextSequence: 3, previous: undefined, storage: '' };
  const next = (numbersReused: boolean) => beginIncarnation(ending, { fresh: FRESH, numbersReused }).previous;
  expect([next(false), next(true)]).toEqual([{ incarnation: FIRST, nextSequence: 3 }, undefined]);
});

it('refuses copies of an older session, and recognises what took effect in it', () => {
  const view = { closed: own.closed, superseded: false, seen: new Set(['seen']) };
  const judge = (sequence: number, id: string, superseded = false) =>
    judgeArrival({ ...view, superseded }, { sequence, id }, { rangesMax: 2 });
  expect([judge(1, 'a'), judge(4, 'a'), judge(4, 'seen')]).toEqual(['duplicate', 'fresh', 'recognised']);
  expect([judge(4, 'a', true), judge(1, 'a', true)]).toEqual(['superseded', 'duplicate']);
});

it('answers about a settled number the same again', () => {
  const first = settle({ closed: own.closed, settled: none }, [3, 4], { rangesMax: 5 });
  expect(first).toEqual({ handled: [3], unseen: [4], closing: [4] });
  const after = { closed: own.closed.add(4), settled: RangeSet.of(4) };
  expect(settle(after, [3, 4], { rangesMax: 5 })).toEqual({ ...first, closing: [] });
});

it('makes an incarnation newer than all, whatever the clock says', () => {
  expect(newerIncarnation(FRESH, [FIRST, undefined])).toBe(FRESH);
  const later = newerIncarnation(FIRST, ['01ffffff-ffff-7000-8000-000000000001']);
  expect(later).toBe('02000000-0000-7000-8000-000000000001');
});
