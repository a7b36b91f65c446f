import { PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX, payloadJson, payloadProblems } from './payload.js';

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

describe('a payload', () => {
  it.each([
    null,
    0,
    -1.5,
    'text',
    true,
    [],
    {},
    { a: [{ b: 'ä€😀' }] },
    { gone: undefined, at: new Date(0) },
  ])('may be %j', (payload) => {
    expect(payloadProblems(payload)).toEqual([]);
  });

  it.each([
    ['a NUL character', { a: ['x\0'] }, /NUL .* at \/a\/0/],
    ['a NUL in a key', { 'x\0': 1 }, /NUL/],
    ['half a surrogate pair', ['\ud800'], /surrogate/],
    ['a __proto__ key', JSON.parse('{"a":{"__proto__":{"admin":true}}}'), /__proto__ key at \/a/],
    ['NaN', { n: Number.NaN }, /finite/],
    ['a bigint', { n: 1n }, /bigint/],
    ['a function', { f: () => 1 }, /function/],
    ['nothing', undefined, /undefined/],
    ['a hole', [undefined], /undefined/],
    ['too deep nesting', nested(PAYLOAD_DEPTH_MAX + 1), /deeper than 32/],
    ['too much', 'x'.repeat(PAYLOAD_BYTES_MAX), /more than 262144/],
  ])('may not hold %s', (_, payload, problem) => {
    expect(payloadProblems(payload)).toEqual([expect.stringMatching(problem)]);
  });

  it('is measured in bytes, not in characters', () => {
    expect(payloadProblems('€'.repeat(PAYLOAD_BYTES_MAX / 2))).toHaveLength(1);
    expect(payloadProblems('x'.repeat(PAYLOAD_BYTES_MAX - 2))).toEqual([]);
  });

  it('may be nested as deep as the limit', () => {
    expect(payloadProblems(nested(PAYLOAD_DEPTH_MAX))).toEqual([]);
  });
});

it('tells a payload that is too large from one that can not be stored', () => {
  expect(() => payloadJson('x'.repeat(PAYLOAD_BYTES_MAX), 'message a.b')).toThrow(
    expect.objectContaining({ code: 'payload_too_large', message: expect.stringContaining('message a.b') }),
  );
  expect(() => payloadJson({ a: '\0' }, 'message a.b')).toThrow(
    expect.objectContaining({ code: 'payload_invalid' }),
  );
  expect(payloadJson({ b: 1, a: [null] }, 'x')).toBe('{"b":1,"a":[null]}');
});
