import type { Config, Variables } from './variable.js';

const HIDDEN = '***';

/** A configuration that may be logged: addresses without their passwords, other secrets hidden. */
export function redactedConfig<V extends Variables>(
  config: Config<V>,
  variables: V,
): Record<string, unknown> {
  const shown = Object.entries(variables).map(([name, { secret }]) => {
    const value = config[name];
    return [name, secret && typeof value === 'string' ? redact(value) : value];
  });
  return Object.fromEntries(shown) as Record<string, unknown>;
}

function redact(secret: string): string {
  if (!URL.canParse(secret)) return HIDDEN;
  const { protocol, username, host, pathname } = new URL(secret);
  return `${protocol}//${username && `${username}:${HIDDEN}@`}${host}${pathname}`; // a query may hold a password too
}
