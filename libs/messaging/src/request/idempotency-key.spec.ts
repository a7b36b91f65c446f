import { requestIdentity } from './idempotency-key.js';

const post = (headers: Record<string, string>, body: unknown = { a: 1, b: 2 }, url = '/orders') =>
  requestIdentity('http', { method: 'POST', url, headers, body });

describe('the identity of a request', () => {
  it('has the key of the header', () => {
    expect(post({ 'idempotency-key': 'k 1' })).toMatchObject({ scope: 'http', key: 'k 1' });
  });

  it('has the key without the quotes that the draft puts around it', () => {
    expect(post({ 'idempotency-key': '"k 1"' }).key).toBe('k 1');
    expect(post({ 'idempotency-key': String.raw`"a\"b\\c"` }).key).toBe('a"b\\c');
    expect(post({ 'idempotency-key': '"half' }).key).toBe('"half');
  });

  it('does not depend on the order of members or on the query', () => {
    const headers = { 'idempotency-key': 'k' };
    expect(post(headers, { b: 2, a: 1 }, '/orders?x=1')).toEqual(post(headers));
  });

  it.each([
    ['body', post({ 'idempotency-key': 'k' }, { a: 2, b: 2 })],
    ['path', post({ 'idempotency-key': 'k' }, { a: 1, b: 2 }, '/orders/1/items')],
  ])('depends on the %s', (_, other) => {
    expect(other.fingerprint).not.toBe(post({ 'idempotency-key': 'k' }).fingerprint);
  });

  it('is refused without a key', () => {
    expect(() => post({})).toThrow(expect.objectContaining({ code: 'idempotency_key_missing' }));
  });

  it.each(['ä', 'tab\t', '""', 'x'.repeat(256)])('is refused with the key %j', (key) => {
    expect(() => post({ 'idempotency-key': key })).toThrow(
      expect.objectContaining({ code: 'idempotency_key_invalid' }),
    );
  });
});
