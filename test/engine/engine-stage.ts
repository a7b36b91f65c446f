import { InMemoryBus, InMemoryTransport, type MessagingLimits, MessagingRuntime } from '@pawl/messaging';
import { LocalHints as ArrivingHints, testDatabase, testKeys } from '@pawl/testing';
import {
  Definitions,
  verify,
  WorkflowRuntime,
  type WorkflowClient,
  type WorkflowOptions,
} from '@pawl/workflow';
import { DataSource } from 'typeorm';

export interface EngineStage {
  readonly client: WorkflowClient;
  readonly runtime: WorkflowRuntime;
  readonly messaging: MessagingRuntime;
  readonly dataSource: DataSource;
  readonly url: string;
  rows<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

/** Hints within one process: they arrive, unless the test drops them. */
export class LocalHints extends ArrivingHints {
  sent = 0;

  constructor(private readonly lossy = false) {
    super();
  }

  override async send(hints: Parameters<ArrivingHints['send']>[0]): Promise<void> {
    this.sent += hints.length;
    if (!this.lossy) await super.send(hints);
  }
}

export interface StageOptions {
  readonly workflows: readonly object[];
  readonly options?: Partial<WorkflowOptions>;
  readonly limits?: Partial<MessagingLimits>;
  /** SQL for the application's own tables. */
  readonly schema?: string;
  /** A database that another engine of the test uses as well. */
  readonly url?: string;
  readonly start?: boolean;
}

/** One engine on a database of its own, with hints and messages inside this process. */
export async function startEngine({
  workflows,
  options,
  limits,
  schema,
  url,
  start = true,
}: StageOptions): Promise<EngineStage> {
  const database = url === undefined ? await testDatabase() : undefined;
  const dataSource = new DataSource({
    type: 'postgres',
    url: url ?? database?.url ?? '',
    installExtensions: false,
  });
  await dataSource.initialize();
  if (schema !== undefined) await dataSource.query(schema);
  const messaging = new MessagingRuntime(dataSource, {
    service: 'test',
    keys: testKeys,
    transport: new InMemoryTransport(new InMemoryBus()),
    ...(limits && { limits }),
  });
  const definitions = new Definitions();
  verify(workflows).forEach((definition, n) =>
    definitions.declare(definition, (workflows[n] as object).constructor),
  );
  const runtime = new WorkflowRuntime(definitions, messaging, {
    service: 'test',
    ...(options?.queueUrl === undefined && { hintChannel: new LocalHints() }),
    ...options,
  });
  messaging.consumers.register(definitions.eventTypes, runtime.consumer);
  if (start) {
    await runtime.keepDefinitions();
    runtime.start();
  }
  return {
    client: runtime.client,
    runtime,
    messaging,
    dataSource,
    url: url ?? database?.url ?? '',
    rows: (sql, values) => dataSource.query(sql, values),
    stop: async () => {
      await runtime.stop();
      await messaging.stop();
      await dataSource.destroy();
      await database?.drop();
    },
  };
}
