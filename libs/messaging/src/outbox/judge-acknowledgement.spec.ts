import { RangeSet } from '@pawl/core';
import type { Acknowledgement } from '../acknowledgement.js';
import { judgeAcknowledgement, type SenderView } from './judge-acknowledgement.js';

const [older, newer] = ['019a0000-0000-7000-8000-000000000001', '019b0000-0000-7000-8000-000000000001'];
const sender: SenderView = { incarnation: older, nextSequence: 10, receiver: older };
const acknowledgement: Acknowledgement = {
  stream: 'orders.shipping',
  partition: 0,
  incarnation: older,
  receiver: older,
  closed: RangeSet.upTo(10),
};

it('applies what speaks of numbers that were sent, to the receiver that is known', () => {
  expect(judgeAcknowledgement(acknowledgement, sender)).toBe('apply');
});

it('applies the first one, of whatever receiver', () => {
  expect(judgeAcknowledgement(acknowledgement, { ...sender, receiver: undefined })).toBe('apply');
});

it('ignores one for the numbers of another incarnation', () => {
  expect(judgeAcknowledgement({ ...acknowledgement, incarnation: newer }, sender)).toBe('other-incarnation');
});

it('ignores one from before the receiver was set back, and follows the receiver that came after', () => {
  expect(judgeAcknowledgement(acknowledgement, { ...sender, receiver: newer })).toBe('older-receiver');
  expect(judgeAcknowledgement({ ...acknowledgement, receiver: newer }, sender)).toBe('apply');
});

it('ignores one for numbers that were never given', () => {
  expect(judgeAcknowledgement({ ...acknowledgement, closed: RangeSet.of(10) }, sender)).toBe('never-sent');
});
