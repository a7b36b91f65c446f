import fc from 'fast-check';
import { canonicalJson, contentDigest } from './canonical-json.js';

/** The same content with the members of every object in the opposite order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).reverse();
  return members.reduce<object>((object, [key, member]) => {
    Object.defineProperty(object, key, { value: turned(member), enumerable: true });
    return object;
  }, {});
}

it('is the same text whatever the order of keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonicalJson(turned(value))).toBe(canonicalJson(value));
    }),
  );
});

it('is JSON of the same content', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

it('tells contents apart', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const same = JSON.stringify(sortedDeep(a)) === JSON.stringify(sortedDeep(b));
      expect(canonicalJson(a) === canonicalJson(b)).toBe(same);
      expect(contentDigest(a) === contentDigest(b)).toBe(same);
    }),
  );
});

function sortedDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedDeep);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // Marked as an object's: an empty one is no empty array.
  return { members: members.map(([key, member]) => ({ key, member: sortedDeep(member) })) };
}

it.each<[unknown, string]>([
  [{}, '{}'],
  [[], '[]'],
  [{ b: undefined, a: 1 }, '{"a":1}'],
  [[undefined, 1], '[null,1]'],
  [undefined, 'null'],
  [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
  [{ z: { b: 1, a: [{ d: 1, c: 2 }] } }, '{"z":{"a":[{"c":2,"d":1}],"b":1}}'],
  [Number.NaN, 'null'],
])('writes %p as JSON does', (value, text) => {
  expect(canonicalJson(value)).toBe(text);
});

it('stands for the content by 43 characters', () => {
  expect(contentDigest({ a: 1 })).toMatch(/^[\w-]{43}$/);
});
