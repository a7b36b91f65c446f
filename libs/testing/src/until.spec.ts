import { until } from './until.js';

it('answers the first truthy value', async () => {
  let looks = 0;
  expect(await until(() => (++looks === 3 ? 'seen' : ''), { everyMs: 1 })).toBe('seen');
});

it('names what did not come about, and why', async () => {
  const never = until(() => Promise.reject(new Error('refused')), { timeoutMs: 1, what: 'the port opens' });
  await expect(never).rejects.toMatchObject({
    code: 'until_timeout',
    message: expect.stringContaining('the port opens') as string,
    cause: expect.objectContaining({ message: 'refused' }) as Error,
  });
});
