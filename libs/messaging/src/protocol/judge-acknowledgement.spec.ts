import { RangeSet } from '@pawl/core';
import { type AcknowledgementClaim, judgeAcknowledgement } from './judge-acknowledgement.js';

const [older, newer] = ['019a0000-0000-7000-8000-000000000001', '019b0000-0000-7000-8000-000000000001'];
const sender = { incarnation: older, nextSequence: 10, receiver: older };
const acknowledgement: AcknowledgementClaim = {
  incarnation: older,
  receiver: older,
  closed: RangeSet.upTo(10),
};

it('applies what speaks of numbers that were sent, to the receiver that is known', () => {
  expect(judgeAcknowledgement(acknowledgement, sender)).toBe('apply');
});

it('ignores one before a session is open', () => {
  expect(judgeAcknowledgement(acknowledgement, { ...sender, receiver: undefined })).toBe('newer-receiver');
});

it('ignores one for the numbers of another incarnation', () => {
  expect(judgeAcknowledgement({ ...acknowledgement, incarnation: newer }, sender)).toBe('other-incarnation');
});

it('ignores one from before the receiver was set back, and one from a receiver that has to be asked first', () => {
  expect(judgeAcknowledgement(acknowledgement, { ...sender, receiver: newer })).toBe('older-receiver');
  expect(judgeAcknowledgement({ ...acknowledgement, receiver: newer }, sender)).toBe('newer-receiver');
});

it('ignores one for numbers that were never given', () => {
  expect(judgeAcknowledgement({ ...acknowledgement, closed: RangeSet.of(10) }, sender)).toBe('never-sent');
});
