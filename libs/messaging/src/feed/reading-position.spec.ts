import { RangeSet } from '@pawl/core';
import { ReadingPosition } from './reading-position.js';

const incarnation = '019a0000-0000-7000-8000-000000000001';
const newer = '019b0000-0000-7000-8000-000000000001';
const upTo = (count: number) => ({ incarnation, closed: RangeSet.upTo(count) });

it('reads on from the watermark, as far as another way has brought it', () => {
  const position = new ReadingPosition();
  expect(position.next(upTo(7), 0)).toMatchObject({ from: 7 });
  position.arrived({ incarnation, last: 9 });
  expect(position.next(upTo(10), 0)).toMatchObject({ from: 10, repeated: false });
  expect(position.next(upTo(25), 0)).toMatchObject({ from: 25 });
});

it('reads past what stayed open, and asks for it again ever more seldom', () => {
  const position = new ReadingPosition();
  position.next(upTo(0), 0);
  position.arrived({ incarnation, last: 9 });
  const one = { incarnation, closed: RangeSet.upTo(3).addRange(4, 10) };
  expect(position.next(one, 0)).toEqual({ from: 10, repeated: false, waitMs: 1_000 });
  expect(position.next(one, 400)).toMatchObject({ from: 10, waitMs: 600 });
  expect(position.next(one, 1_000)).toEqual({ from: 3, repeated: true, waitMs: 2_000 });
  position.arrived({ incarnation, last: 9 });
  expect(position.next(one, 2_500)).toMatchObject({ from: 10 });
  expect(position.next(one, 3_000)).toMatchObject({ from: 3, waitMs: 4_000 });
  expect(position.next(upTo(10), 3_100)).toEqual({ from: 10, repeated: false, waitMs: Infinity });
});

it('takes the first page of a process for one that another may have tried', () => {
  const position = new ReadingPosition();
  position.next(upTo(0), 0);
  expect(position.arrived({ incarnation, last: 4 })).toBe(true);
  expect(position.arrived({ incarnation, last: 9 })).toBe(false);
});

it('begins again with a sender that has begun a new incarnation', () => {
  const position = new ReadingPosition();
  position.next(upTo(1_000), 0);
  expect(position.arrived({ incarnation: newer, last: 4 })).toBe(true);
  expect(position.incarnation).toBe(newer);
  expect(position.next({ incarnation: newer, closed: RangeSet.upTo(5) }, 0)).toMatchObject({ from: 5 });
});
