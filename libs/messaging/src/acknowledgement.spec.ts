import { RangeSet } from '@pawl/core';
import * as fc from 'fast-check';
import { type Acknowledgement, parseAcknowledgement, RANGES_MAX, toWire } from './acknowledgement.js';
import { isProblem } from './envelope.js';

const UUID = '019a0000-0000-7000-8000-000000000001';
const acknowledgement: Acknowledgement = {
  stream: 'orders.shipping',
  partition: 3,
  incarnation: UUID,
  receiver: UUID,
  closed: RangeSet.parse('{[0,4),[7,8)}'),
};

it('is read as it was written', () => {
  expect(parseAcknowledgement(JSON.parse(JSON.stringify(toWire(acknowledgement))))).toEqual(acknowledgement);
});

it('names the lowest ranges if there are too many', () => {
  const closed = RangeSet.of(...Array.from({ length: 2 * RANGES_MAX }, (_, n) => 2 * n));
  const wire = toWire({ ...acknowledgement, closed });
  expect(wire.closed).toHaveLength(RANGES_MAX);
  expect(wire.closed[0]).toEqual([0, 1]);
  expect(isProblem(parseAcknowledgement(wire))).toBe(false);
});

it.each([
  ['stream', 'orders'],
  ['partition', 256],
  ['incarnation', 'x'],
  ['receiver', undefined],
  ['closed', '{}'],
  ['closed', [[3, 2]]],
  ['closed', [[-1, 2]]],
  ['closed', [[0, 1.5]]],
  ['closed', [7]],
  ['closed', Array.from({ length: RANGES_MAX + 1 }, (_, n) => [2 * n, 2 * n + 1])],
])('is none with %s %j', (attribute, value) => {
  const parsed = parseAcknowledgement({ ...toWire(acknowledgement), [attribute]: value });
  expect(parsed).toEqual({ problems: [expect.stringContaining(attribute)] });
});

it('never throws, whatever comes', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (input) => {
      expect(isProblem(parseAcknowledgement(input))).toBe(true);
    }),
  );
});
