import { type Duration, toMilliseconds } from './duration.js';

it.each<[Duration, number]>([
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5m', 90_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
  ['-1s', -1_000],
  [250, 250],
  [0.4, 0],
])('reads %s', (duration, ms) => {
  expect(toMilliseconds(duration)).toBe(ms);
});

it.each(['1e3s', '0x1fs', '30', ' 30s', '30 s', '', Number.NaN, Number.POSITIVE_INFINITY])(
  'refuses %j',
  (text) => {
    expect(toMilliseconds(text as Duration)).toBeUndefined();
  },
);
