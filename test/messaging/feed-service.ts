import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type INestApplication, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  FeedModule,
  type FeedOptions,
  InMemoryBus,
  InMemoryTransport,
  MessagingModule,
  MessagingRuntime,
  outgoing,
  type Route,
  route,
  type Transport,
} from '@pawl/messaging';
import { testDatabase, type TestDatabase, testKeys } from '@pawl/testing';
import { DataSource } from 'typeorm';
import { Noted, QUICK } from './service-pair.js';

export const SHIPPING_TOKEN = 'spec-shipping-shipping-shipping-shipping';
export const BILLING_TOKEN = 'spec-billing-billing-billing-billing-bill';

/** To a reader that pulls, and to one that is sent the same over the bus. */
export const pulled = route({ to: 'shipping', partitions: 2, transport: 'feed' });
export const pushed = route({ to: 'shipping', partitions: 2 });

export interface FeedServiceOptions {
  /** Default: a bus that nobody else is on. */
  readonly transport?: Transport;
  readonly busUrl?: string;
  readonly prefix?: string;
  /** Null: not configured. */
  readonly feed?: Partial<FeedOptions> | null;
  readonly port?: number;
  readonly database?: TestDatabase;
}

/** An orders service as a Nest application that listens, with the feed in it. */
export class FeedService {
  private constructor(
    readonly application: INestApplication,
    readonly database: TestDatabase,
    private readonly ownsDatabase: boolean,
  ) {}

  static async start({
    transport,
    busUrl,
    prefix = 'pawl',
    feed,
    port = 0,
    database: shared,
  }: FeedServiceOptions = {}): Promise<FeedService> {
    const database = shared ?? (await testDatabase());
    const tokens = { shipping: SHIPPING_TOKEN, billing: BILLING_TOKEN };
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: database.url }),
        MessagingModule.forRoot({
          service: 'orders',
          ...(busUrl === undefined ? { transport: transport ?? loneTransport() } : { busUrl, prefix }),
          keys: testKeys,
          ...(feed !== null && { feed: { tokens, ...feed } }),
          limits: QUICK,
        }),
        HttpModule,
      ],
    }).compile();
    const application = module.createNestApplication({ logger: false });
    await application.listen(port, '127.0.0.1');
    return new FeedService(application, database, shared === undefined);
  }

  get runtime(): MessagingRuntime {
    return this.application.get(MessagingRuntime);
  }

  get dataSource(): DataSource {
    return this.application.get(DataSource);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private get server(): Server {
    return this.application.getHttpServer() as Server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Writes one message per number. */
  async send(numbers: readonly number[], to: Route = pulled, key?: string): Promise<void> {
    await this.dataSource.transaction((manager) =>
      this.runtime.outbox.appendIn(
        manager,
        numbers.map((n) => outgoing(Noted, new Noted(n), { route: to, key: key ?? `order-${n}` })),
      ),
    );
  }

  async get(path: string, { token = SHIPPING_TOKEN, signal }: GetOptions = {}): Promise<Response> {
    const authorization = { authorization: `Bearer ${token}` };
    return fetch(`${this.url}${path}`, {
      headers: token === '' ? {} : authorization,
      ...(signal && { signal }),
    });
  }

  async stop(): Promise<void> {
    await this.application.close();
  }

  /** Also ends what clients keep open without using it, for which a server that closes waits some seconds. */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    await this.stop();
    if (this.ownsDatabase) await this.database.drop();
  }
}

function loneTransport(): Transport {
  return new InMemoryTransport(new InMemoryBus());
}

interface GetOptions {
  readonly token?: string;
  readonly signal?: AbortSignal;
}

@Module({ imports: [FeedModule] })
class HttpModule {}
