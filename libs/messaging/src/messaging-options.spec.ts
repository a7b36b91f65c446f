import { InMemoryBus, InMemoryTransport } from './transport/in-memory-transport.js';
import { checkedLimits, DEFAULT_LIMITS } from './messaging-options.js';

it('fills in what was not said', () => {
  const limits = checkedLimits({
    service: 'orders',
    busUrl: 'redis://localhost',
    unsigned: true,
    limits: { window: 5 },
  });
  expect(limits).toEqual({ ...DEFAULT_LIMITS, window: 5 });
});

it('names every problem at once', () => {
  const transport = new InMemoryTransport(new InMemoryBus());
  const limits = { window: 0, attemptsMax: 1.5, firstIntervalMs: 10, longestIntervalMs: 5 };
  const refused = (): unknown =>
    checkedLimits({ service: 'Orders', busUrl: 'redis://localhost', transport, limits });
  expect(refused).toThrow(expect.objectContaining({ code: 'messaging_options_invalid' }));
  expect(refused).toThrow(/window[^]*attemptsMax[^]*Orders[^]*busUrl[^]*firstIntervalMs/);
  expect(() => checkedLimits({ service: 'orders' })).toThrow(
    /busUrl or transport[^]*keys[^]*or unsigned: true/,
  );
});
