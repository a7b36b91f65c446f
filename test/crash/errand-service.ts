import { InMemoryBus, InMemoryTransport, MessagingRuntime } from '@pawl/messaging';
import { testKeys } from '@pawl/testing';
import {
  Definitions,
  verify,
  type WorkflowClient,
  type WorkflowOptions,
  WorkflowRuntime,
} from '@pawl/workflow';
import { DataSource } from 'typeorm';
import { LocalHints } from '../engine/engine-stage.js';
import { ledgerAt } from './effect-ledger.js';
import { ErrandWorkflow, Ordered } from './errand.js';

export interface ServiceOptions {
  readonly databaseUrl: string;
  readonly ledgerUrl: string;
  /** BullMQ for messages to the archive. Without it they stay in the outbox. */
  readonly busUrl?: string;
  readonly prefix?: string;
  readonly engine?: Omit<WorkflowOptions, 'service' | 'hintChannel'>;
  /** Sends hints, but none arrives. */
  readonly hintsAreLost?: boolean;
}

/** One process's worth of the errand service. */
export interface ErrandService {
  readonly client: WorkflowClient;
  /** Starts a run; again under the same key it is the same run. */
  start(key: string, what?: string): Promise<unknown>;
  readonly runtime: WorkflowRuntime;
  readonly dataSource: DataSource;
  stop(): Promise<void>;
}

/** Short, so that a successor need not wait; not shorter than two cores under load allow to renew. */
export const LEASE_MS = 1_500;
const QUICK = { firstIntervalMs: 200, longestIntervalMs: 1_000 };

/** Wires engine and messaging by hand, as the Nest modules do. */
export async function openErrandService(options: ServiceOptions): Promise<ErrandService> {
  const { databaseUrl: url, ledgerUrl, busUrl, prefix = 'pawl', engine, hintsAreLost } = options;
  const dataSource = await new DataSource({ type: 'postgres', url, installExtensions: false }).initialize();
  const bus = busUrl === undefined ? { transport: new InMemoryTransport(new InMemoryBus()) } : { busUrl };
  const messaging = new MessagingRuntime(dataSource, {
    service: 'errands',
    keys: testKeys,
    prefix,
    limits: QUICK,
    ...bus,
  });
  const workflow = new ErrandWorkflow(ledgerAt(ledgerUrl));
  const definitions = new Definitions();
  for (const definition of verify([workflow])) definitions.declare(definition, ErrandWorkflow);
  const runtime = new WorkflowRuntime(definitions, messaging, {
    service: 'errands',
    prefix,
    leaseMs: LEASE_MS,
    rescueEveryMs: 100,
    ...engine,
    ...(engine?.queueUrl === undefined && { hintChannel: new LocalHints(hintsAreLost) }),
  });
  messaging.consumers.register(definitions.eventTypes, runtime.consumer);
  if (busUrl !== undefined) await messaging.start();
  await runtime.keepDefinitions();
  runtime.start();
  return {
    client: runtime.client,
    start: async (key, what = 'tea') => runtime.client.start(ErrandWorkflow, key, new Ordered(what)),
    runtime,
    dataSource,
    stop: async () => {
      await runtime.stop();
      await messaging.stop();
      await dataSource.destroy();
    },
  };
}
