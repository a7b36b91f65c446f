type Describe = (name: string, body: () => void) => void;

/** The suite needs a Redis and shares it with others: `testRedisUrl()`. Skipped, and reported, where there is none. */
export const describeWithRedis: Describe = (name, body) => choose('PAWL_TEST_REDIS_URL')(name, body);

/**
 * The suite flushes, stops or kills its Redis, so it starts one of its own (`startRedis`). Skipped, and reported, where
 * none is installed or `REDIS_URL` names somebody's server.
 */
export const describeWithOwnRedis: Describe = (name, body) => choose('PAWL_TEST_REDIS_OWN')(name, body);

/** The Redis of this test run. Others use it too: keep to keys with a prefix of your own, never FLUSHALL. */
export function testRedisUrl(): string {
  return process.env['PAWL_TEST_REDIS_URL'] ?? '';
}

function choose(variable: string): Describe {
  return process.env[variable] ? describe : describe.skip;
}
