import { RangeSet } from '@pawl/core';
import { until } from '@pawl/testing';
import type { Envelope } from '../envelope.js';
import { type Early, WaitingRoom } from './waiting-room.js';

const partition = {
  stream: 'orders.shipping',
  partition: 0,
  incarnation: '019a0000-0000-7000-8000-000000000001',
};
const TIRED = 6;
let left: number[];
let room: WaitingRoom;

beforeEach(() => {
  left = [];
  room = new WaitingRoom({ waitingMax: 2, again: ({ envelope }) => left.push(envelope.sequence) });
});
afterEach(() => room.close());

function early(sequence: number, looks = TIRED): Early {
  const envelope = { ...partition, sequence, previous: sequence - 1 } as Envelope;
  return { envelope, suspect: false, looks };
}

it('lets a message go once the one before it is closed, and no other', () => {
  room.keep(early(1));
  room.keep(early(5));
  room.closed({ ...partition, partition: 1 }, RangeSet.upTo(9));
  room.closed(partition, RangeSet.upTo(1));
  expect([left, room.size]).toEqual([[1], 1]);
});

it('has room for so many: the one that has waited longest gives way, and a copy takes no second place', () => {
  for (const sequence of [1, 2, 2, 3]) room.keep(early(sequence));
  room.closed(partition, RangeSet.upTo(9));
  expect([left, room.size]).toEqual([[2, 3], 0]);
});

it('has each look for itself, and forgets all of them when it closes', async () => {
  room.keep(early(1, 0));
  await until(() => left.length === 1);
  room.keep(early(2, 0));
  room.close();
  room.keep(early(3, 0));
  room.closed(partition, RangeSet.upTo(9));
  expect([left, room.size]).toEqual([[1], 0]);
});
