import { validate, version } from 'uuid';
import { newRequestId, requestIdOf, timeOfRequestId } from './request-id.js';

describe('the id of an exchange', () => {
  it('carries the time of its making', () => {
    const before = Date.now();
    const time = timeOfRequestId(newRequestId());
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  it('follows from an instant and a name', () => {
    const id = requestIdOf(1_795_000_000_123, 'step 1');
    expect([validate(id), version(id), timeOfRequestId(id)]).toEqual([true, 7, 1_795_000_000_123]);
    expect(requestIdOf(1_795_000_000_123.9, 'step 1')).toBe(id);
    expect(requestIdOf(1_795_000_000_123, 'step 2')).not.toBe(id);
    expect(requestIdOf(1_795_000_000_124, 'step 1')).not.toBe(id);
  });

  it.each([
    'a',
    7,
    undefined,
    '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
    '0190C0DE-0000-7000-8000-000000000000',
    '0190c0de-0000-7000-0000-000000000000',
  ])('is not %s', (id) => expect(timeOfRequestId(id)).toBeUndefined());
});
