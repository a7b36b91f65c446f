import { Cleanup } from './cleanup.js';

it('closes the newest first, and once', async () => {
  const closed: string[] = [];
  const cleanup = new Cleanup();
  cleanup.add(async () => void closed.push('first'));
  await cleanup.open(
    async () => 'second',
    async (what) => void closed.push(what),
  );
  await Promise.all([cleanup.run(), cleanup.run()]);
  expect(closed).toEqual(['second', 'first']);
});

it('waits for what is just being opened, and closes it', async () => {
  const closed: string[] = [];
  const cleanup = new Cleanup();
  let finish: (what: string) => void = () => undefined;
  const opening = cleanup.open(
    () => new Promise<string>((resolve) => (finish = resolve)),
    async (what) => void closed.push(what),
  );
  const ending = cleanup.run();
  finish('late');
  await ending;
  expect([await opening, closed]).toEqual(['late', ['late']]);
});

it('lets nothing new begin once it has begun', async () => {
  const cleanup = new Cleanup();
  await cleanup.run();
  expect(() => cleanup.add(async () => undefined)).toThrow('ending');
  expect(cleanup.signal.aborted).toBe(true);
});

it('closes the others when one fails, and tells', async () => {
  const closed: string[] = [];
  const cleanup = new Cleanup();
  cleanup.add(async () => void closed.push('first'));
  cleanup.add(() => Promise.reject(new Error('stuck')));
  await expect(cleanup.run()).rejects.toThrow('Not everything');
  expect(closed).toEqual(['first']);
});
