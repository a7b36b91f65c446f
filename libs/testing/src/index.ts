export { TestClock, type TestClockOptions } from './clock/test-clock.js';
export { assertConverges } from './confluence/assert-converges.js';
export {
  type Explorable,
  explore,
  type ExploreOptions,
  type WorkflowExploration,
} from './confluence/explore.js';
export type { RunView } from './confluence/run-view.js';
export type { Finding } from './confluence/search.js';
export { describeWithOwnRedis, describeWithRedis, testRedisUrl } from './describe-with-redis.js';
export { type EffectCounts, EffectLedger } from './effect-ledger.js';
export { fastSettings, PostgresServer, startPostgres } from './embedded-postgres.js';
export type { PostgresOptions } from './embedded-postgres.js';
export { LocalHints } from './engine/local-hints.js';
export { startTestEngine, type TestEngine, type TestEngineOptions } from './engine/start-test-engine.js';
export { COMES_TO_REST, exploreModel } from './explorer/explore-model.js';
export type {
  Counterexample,
  Coverage,
  Exploration,
  ExploreModelOptions,
  ExploreProgress,
} from './explorer/explore-model.js';
export type { Checks, Eventually, Model } from './explorer/model.js';
export { printExploration } from './explorer/print-exploration.js';
export { forkService, ForkedService } from './fork-service.js';
export type { ForkOptions } from './fork-service.js';
export { LossyProxy } from './lossy-proxy.js';
export { memoryDirectory } from './memory-directory.js';
export { type CaughtCommit, PostgresProxy } from './postgres-proxy.js';
export { RedisCluster, startRedisCluster } from './redis-cluster.js';
export { findRedis, redisRemedy, RedisServer, startRedis } from './redis-server.js';
export { runnable } from './runnable.js';
export type { Runnable } from './runnable.js';
export { TEMPLATE, testDatabase, testPostgresUrl } from './test-database.js';
export type { TestDatabase } from './test-database.js';
export { testKeys, testKeysText } from './test-keys.js';
export { until } from './until.js';
export type { UntilOptions } from './until.js';
