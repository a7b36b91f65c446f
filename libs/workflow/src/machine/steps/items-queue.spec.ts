import { stepRecord } from '../../model/step-record.js';
import type { ItemDue } from './items.js';
import { ItemsQueue } from './items-queue.js';

const item = (index: number): ItemDue => ({ index, record: undefined });
const failed = (index: number): ItemDue => ({
  index,
  record: stepRecord({ name: 'book', status: 'retrying' }),
});
const taken = (queue: ItemsQueue, nowMs: number, most = 16) =>
  queue.take(nowMs, most).map(({ index }) => index);

function queueOf(...indexes: number[]): ItemsQueue {
  const queue = new ItemsQueue();
  queue.add(indexes.map(item));
  return queue;
}

it('gives items out in their order, so many at a time', () => {
  const queue = queueOf(0, 1, 2, 3, 4);
  expect([taken(queue, 0, 2), taken(queue, 0, 2), taken(queue, 0, 2), taken(queue, 0, 2)]).toEqual([
    [0, 1],
    [2, 3],
    [4],
    [],
  ]);
});

it('gives out what was not begun before what comes after it', () => {
  const queue = queueOf(0, 1, 2, 3);
  const [, ...left] = queue.take(0, 3);
  queue.giveBack(left);
  expect(taken(queue, 0)).toEqual([1, 2, 3]);
});

it('gives what has failed out alone', () => {
  const queue = queueOf(2, 3);
  queue.addApart([failed(0), failed(1)]);
  expect([taken(queue, 0), taken(queue, 0), taken(queue, 0)]).toEqual([[0], [1], [2, 3]]);
});

it('lets an item wait, and the others go on meanwhile', () => {
  const queue = queueOf(1, 2);
  queue.wait(failed(0), 100);
  expect(queue.size).toBe(3);
  expect(queue.soonestMs).toBe(100);
  expect([taken(queue, 99, 1), taken(queue, 100, 1), taken(queue, 100, 1)]).toEqual([[1], [0], [2]]);
  expect(queue.size).toBe(0);
  expect(queue.soonestMs).toBe(Number.POSITIVE_INFINITY);
});
