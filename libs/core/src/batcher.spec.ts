import { until } from '@pawl/testing';
import { Batcher } from './batcher.js';

/** A batcher whose flushes end when the spec says so. */
function stage(options: { lanesMax: number; batchMax: number }) {
  const flushed: { batch: number[]; end: () => void }[] = [];
  const batcher = new Batcher<number>((batch) => new Promise((end) => flushed.push({ batch, end })), options);
  const batches = async (count: number): Promise<number[][]> => {
    await until(() => flushed.length >= count);
    return flushed.map(({ batch }) => batch);
  };
  return { batcher, batches, end: (n: number) => flushed[n]?.end() };
}

it('takes what is added in one turn together, and at once when idle', async () => {
  const { batcher, batches, end } = stage({ lanesMax: 1, batchMax: 10 });
  for (const n of [1, 2, 3]) batcher.add(n);
  expect(await batches(1)).toEqual([[1, 2, 3]]);
  expect(batcher.idle).toBe(false);
  end(0);
  await until(() => batcher.idle);
});

it('lets items wait together while its lanes are busy', async () => {
  const { batcher, batches, end } = stage({ lanesMax: 2, batchMax: 2 });
  batcher.add(1);
  await batches(1);
  batcher.add(2);
  await batches(2);
  for (const n of [3, 4, 5]) batcher.add(n);
  expect(await batches(2)).toEqual([[1], [2]]);
  end(1);
  expect(await batches(3)).toEqual([[1], [2], [3, 4]]);
  end(0);
  expect(await batches(4)).toEqual([[1], [2], [3, 4], [5]]);
});

it('starts anew after it was idle', async () => {
  const { batcher, batches, end } = stage({ lanesMax: 1, batchMax: 2 });
  batcher.add(1);
  await batches(1);
  end(0);
  await until(() => batcher.idle);
  batcher.add(2);
  expect(await batches(2)).toEqual([[1], [2]]);
});
