/**
 * Works through a batch, one after the other; answers the sum of what was done. One that fails keeps the others from nothing: the first
 * failure is thrown at the end.
 */
export async function eachOf<Item>(
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item) => Promise<number>,
): Promise<number> {
  const failures: unknown[] = [];
  let done = 0;
  for (const item of items) {
    if (signal.aborted) break;
    await work(item).then(
      (count) => (done += count),
      (error: unknown) => failures.push(error),
    );
  }
  if (failures.length > 0) throw failures[0];
  return done;
}
