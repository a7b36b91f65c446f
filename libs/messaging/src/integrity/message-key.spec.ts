import { randomBytes } from 'node:crypto';
import { keyProblems, messageKeys, secretBytes } from './message-key.js';

const secret = (bytes = 32): string => `whsec_${randomBytes(bytes).toString('base64')}`;

it('reads keys from a text, and has no problem with good ones', () => {
  const [one, two, three] = [secret(), secret(64), secret()];
  const keys = messageKeys(` 2026-11=${one}, 2026-05=${two}\n2026-05@billing=${three}\n`);
  expect(keys).toEqual([
    { id: '2026-11', secret: one },
    { id: '2026-05', secret: two },
    { id: '2026-05', secret: three, peer: 'billing' },
  ]);
  expect(keyProblems(keys)).toEqual([]);
  expect(secretBytes(two)).toHaveLength(64);
});

it.each([
  ['a short secret', { id: 'k', secret: secret(31) }, /base64 of 32/],
  ['a long one', { id: 'k', secret: secret(65) }, /base64 of 32/],
  ['one without its prefix', { id: 'k', secret: secret().slice(6) }, /whsec_/],
  ['a sample', { id: 'k', secret: `whsec_${btoa('change-me-'.repeat(4))}` }, /drew at random/],
  ['zeros', { id: 'k', secret: `whsec_${Buffer.alloc(32).toString('base64')}` }, /drew at random/],
  ['no id', { id: '', secret: secret() }, /no id/],
  ['a peer that is none', { id: 'k', secret: secret(), peer: 'Billing' }, /no name of a service/],
])('refuses %s, and shows no secret', (_, key, problem) => {
  const problems = keyProblems([key]);
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(problems.join()).not.toContain(key.secret.slice(6, 20));
});

it('refuses no keys, too many, and an id twice', () => {
  const keys = Array.from({ length: 65 }, (_, n) => ({ id: `k${n}`, secret: secret() }));
  expect(keyProblems([])).toHaveLength(1);
  expect(keyProblems(keys)).toHaveLength(1);
  expect(keyProblems([keys[0], keys[0]].flatMap((key) => key ?? []))).toEqual(['keys has an id twice']);
});
