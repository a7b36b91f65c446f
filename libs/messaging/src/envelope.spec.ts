import * as fc from 'fast-check';
import { type Envelope, isProblem, parseEnvelope } from './envelope.js';

const UUID = '019a0000-0000-7000-8000-000000000001';
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const envelope: Envelope = {
  specversion: '1.0',
  id: UUID,
  source: 'orders',
  type: 'orders.submitted',
  subject: 'order-1',
  time: '2026-11-21T10:00:00.000Z',
  datacontenttype: 'application/json',
  dataversion: 1,
  stream: 'orders.shipping',
  partition: 3,
  incarnation: UUID,
  sequence: 4,
  keyorder: 'hold',
  previous: 2,
  transmission: 1,
  traceparent,
  data: { index: 1 },
};

it('is read as it was written', () => {
  expect(parseEnvelope(JSON.parse(JSON.stringify(envelope)))).toEqual(envelope);
});

it('loses what nobody knows, and a malformed trace context', () => {
  const { traceparent: _, ...untraced } = envelope;
  expect(parseEnvelope({ ...envelope, extra: 1, traceparent: '00-garbage' })).toEqual(untraced);
});

it('has attribute names that CloudEvents allows', () => {
  for (const name of Object.keys(envelope)) expect(name).toMatch(/^[a-z0-9]{1,20}$/);
});

it.each([
  ['specversion', '0.3'],
  ['id', 'order-1'],
  ['source', 'Orders'],
  ['type', 'x'.repeat(101)],
  ['subject', ''],
  ['subject', 'a\0'],
  ['time', 'yesterday'],
  ['datacontenttype', 'text/plain'],
  ['dataversion', 0],
  ['stream', 'orders'],
  ['stream', 'billing.shipping'],
  ['partition', -1],
  ['partition', 256],
  ['incarnation', 7],
  ['sequence', -1],
  ['sequence', 2 ** 60],
  ['sequence', '1'],
  ['transmission', 0],
  ['keyorder', 'key'],
  ['previous', -1],
  ['previous', 4],
  ['data', undefined],
  ['data', { a: '\0' }],
  ['data', 'x'.repeat(300_000)],
])('is none with %s %j', (attribute, value) => {
  const parsed = parseEnvelope({ ...envelope, [attribute]: value });
  expect(parsed).toEqual({ problems: [expect.stringContaining(attribute)] });
});

it.each([undefined, null, {}, [], 'text', 7, { acknowledgement: {} }, { data: {} }])(
  'is none when it is %j, as in a ghost job',
  (garbage) => {
    expect(isProblem(parseEnvelope(garbage))).toBe(true);
  },
);

it('never throws, whatever comes', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (input) => {
      expect(isProblem(parseEnvelope(input))).toBe(true);
    }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(envelope)),
      fc.anything({ withBigInt: true }),
      (attribute, value) => {
        parseEnvelope({ ...envelope, [attribute]: value });
      },
    ),
  );
});

describe('a payload that does not travel', () => {
  const claim = {
    data: null,
    dataref: `/feed/orders.shipping/payloads/${UUID}`,
    datadigest: 'A'.repeat(43),
    datasize: 70_000,
  };

  it('is read as a reference', () => {
    expect(parseEnvelope({ ...envelope, ...claim })).toEqual({ ...envelope, ...claim });
  });

  it.each([
    ['at another address', { dataref: 'http://169.254.169.254/latest' }],
    ['of another message', { dataref: `/feed/orders.shipping/payloads/${UUID.replace('1', '2')}` }],
    ['without a digest', { datadigest: undefined }],
    ['of more bytes than a payload may have', { datasize: 1_000_000 }],
    ['beside a payload', { data: {} }],
  ])('is refused %s', (_, wrong) => {
    expect(parseEnvelope({ ...envelope, ...claim, ...wrong })).toHaveProperty('problems');
  });
});
