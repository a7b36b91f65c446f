/** Keys for the messages of services in tests, the same in all processes: `keys: testKeys`. */
export const testKeys = [
  { id: 'test', secret: `whsec_${btoa('only for tests: 0123456789 abcdef')}` },
] as const;

/** The same as the text that a service's environment holds. */
export const testKeysText = testKeys.map(({ id, secret }) => `${id}=${secret}`).join(' ');
