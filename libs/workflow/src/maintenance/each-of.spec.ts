import { eachOf } from './each-of.js';

const never = new AbortController().signal;

it('answers how much was done', async () => {
  expect(await eachOf([1, 0, 2], never, async (count) => count)).toBe(3);
});

it('goes on behind one that fails, and throws the first failure at the end', async () => {
  const seen: number[] = [];
  const working = eachOf([1, 2, 3], never, async (item) => {
    seen.push(item);
    if (item < 3) throw new Error(`item ${item}`);
    return 1;
  });
  await expect(working).rejects.toThrow('item 1');
  expect(seen).toEqual([1, 2, 3]);
});

it('begins no further one once it is to stop', async () => {
  const stop = new AbortController();
  const done = eachOf([1, 2], stop.signal, async () => {
    stop.abort();
    return 1;
  });
  expect(await done).toBe(1);
});
