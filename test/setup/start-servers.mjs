// One PostgreSQL and one Redis for the whole test run. Specs find them in the environment (their processes inherit it),
// and each spec makes a database of its own (`testDatabase`). REDIS_URL names a Redis that is not ours to flush or stop.
// What specs start as processes of their own runs from the sources as they are compiled now.
import '../../scripts/typescript-loader.mjs';
import { compiledSources, compileSources } from '../../scripts/compile-sources.mjs';

export default async function startServers() {
  const testing = await import('../../libs/testing/src/index.ts');
  const [postgres, redis] = await Promise.all([
    testing.startPostgres({ settings: testing.fastSettings, under: await testing.memoryDirectory() }),
    process.env.REDIS_URL ? undefined : testing.startRedis(),
    compileSources(),
  ]);
  process.env.PAWL_TEST_COMPILED = compiledSources;
  process.env.PAWL_TEST_POSTGRES_URL = postgres.url();
  if (redis) process.env.PAWL_TEST_REDIS_OWN = 'yes';
  const redisUrl = process.env.REDIS_URL ?? redis?.url;
  if (redisUrl) process.env.PAWL_TEST_REDIS_URL = redisUrl;
  globalThis.pawlTestServers = [postgres, redis];
  await migrateTemplate(await postgres.createDatabase(testing.TEMPLATE));
}

async function migrateTemplate(url) {
  const { migrate } = await import('../../migrations/src/index.ts');
  const { default: pg } = await import('pg');
  const client = new pg.Client(url);
  await client.connect();
  try {
    await migrate(client);
  } finally {
    await client.end();
  }
}
