import { createSecretKey } from 'node:crypto';
import { sign, verifies } from './signature.js';

// The example that libraries for Standard Webhooks are tested with.
const key = createSecretKey(Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'));
const content = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: '1614265330',
  body: '{"test": 2432232314}',
};
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

it('signs as others do', () => {
  expect(sign(key, content)).toBe(signature);
  expect(sign(key, { ...content, body: Buffer.from(content.body) })).toBe(signature);
});

it.each([
  ['alone', signature],
  ['behind that of another key', `v1,${Buffer.alloc(32).toString('base64')} ${signature}`],
  ['behind one of another version', `v1a,abc ${signature}`],
])('accepts a right signature %s', (_, signatures) => expect(verifies(key, content, signatures)).toBe(true));

it.each([
  ['another body', { ...content, body: '{"test": 2432232315}' }],
  ['another id', { ...content, id: 'msg_2' }],
  ['another time', { ...content, timestamp: '1614265331' }],
])('refuses %s', (_, other) => expect(verifies(key, other, signature)).toBe(false));

it.each([
  '',
  'v1',
  'v1,',
  signature.slice(3),
  signature.replace('v1', 'v2'),
  'v1,AAAA',
  `${' '.repeat(4)}${signature}`,
])('refuses the signature %j', (signatures) => expect(verifies(key, content, signatures)).toBe(false));
