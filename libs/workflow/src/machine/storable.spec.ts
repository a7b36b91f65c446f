import fc from 'fast-check';
import { isStorable, storableText } from './storable.js';

const unit = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }),
  fc.constantFrom(0, 0x5c, 0xd83d, 0xde42, 0x75, 0x30),
);
const texts = fc.array(unit).map((units) => String.fromCharCode(...units));
const refused = /\0|\p{Surrogate}/u;

it('tells JSON that jsonb refuses by its text', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(isStorable(JSON.stringify({ [text]: [text] }))).toBe(!refused.test(text));
    }),
    { numRuns: 1_000 },
  );
});

it('leaves of a text all that can be stored', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const stored = storableText(text);
      expect(isStorable(JSON.stringify(stored))).toBe(true);
      if (!refused.test(text)) expect(stored).toBe(text);
    }),
  );
});
