import { RateLimit } from './rate-limit.js';

it('lets a burst through, then what its rate allows', () => {
  let now = 0;
  const limit = new RateLimit({ perSecond: 10, burst: 3 }, () => now);
  const taken = (): number => {
    for (let n = 0; ; n++) {
      try {
        limit.take();
      } catch (error) {
        expect(error).toMatchObject({ status: 429 });
        return n;
      }
    }
  };
  expect(taken()).toBe(3);
  now += 200;
  expect(taken()).toBe(2);
  now += 60_000;
  expect(taken()).toBe(3);
});
