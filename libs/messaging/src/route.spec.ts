import { declared } from './declared.js';
import { route, streamEnds, streamName } from './route.js';

it('puts a key in the same partition in every process and release', () => {
  const { partitionOf } = route({ to: 'shipping' });
  expect(['order-1', 'order-2', 'order-3', 'ä'].map(partitionOf)).toEqual([1, 6, 7, 7]);
});

it('spreads keys over its partitions', () => {
  const { partitionOf } = route({ to: 'shipping', partitions: 4 });
  const used = new Set(Array.from({ length: 200 }, (_, n) => partitionOf(`key-${n}`)));
  expect([...used].sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
});

it.each([
  { to: 'Shipping' },
  { to: '' },
  { to: 'a.b' },
  { to: 'a', partitions: 0 },
  { to: 'a', partitions: 257 },
  { to: 'a', onDeadLetter: 'hold' as const },
  { to: 'a', order: 'key' as const, guarantee: 'at-least-once' as const },
  { to: 'a', guarantee: 'maybe' as 'exactly-once' },
])('refuses %j', (options) => {
  expect(() => route(options)).toThrow(expect.objectContaining({ code: 'route_invalid' }));
});

it('promises no order unless asked to, and then holds a key behind its dead letter unless told to let it pass', () => {
  const { keyOrder } = route({ to: 'shipping' });
  const held = route({ to: 'shipping', order: 'key' }).keyOrder;
  const passing = route({ to: 'shipping', order: 'key', onDeadLetter: 'pass' }).keyOrder;
  expect([keyOrder, held, passing]).toEqual([undefined, 'hold', 'pass']);
});

it('promises exactly once unless told otherwise, and what it promises can be listed', () => {
  expect(route({ to: 'listed' }).guarantee).toBe('exactly-once');
  route({ to: 'listed', guarantee: 'at-most-once' });
  route({ to: 'listed', guarantee: 'at-most-once' });
  const listed = declared().routes.filter(({ to }) => to === 'listed');
  expect(listed.map(({ guarantee }) => guarantee)).toEqual(['at-most-once', 'exactly-once']);
});

it('names a stream by its two ends', () => {
  expect(streamEnds(streamName({ from: 'orders', to: 'shipping' }))).toEqual({
    from: 'orders',
    to: 'shipping',
  });
  expect(['orders', 'orders.', 'a.b.c', 'A.b', ''].map(streamEnds)).toEqual(Array(5).fill(undefined));
});
