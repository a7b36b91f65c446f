import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ForkedService,
  forkService,
  type TestDatabase,
  testDatabase,
  testKeysText,
} from '@pawl/testing';
import pg from 'pg';

export const ADMIN_TOKEN = 'spec-token-spec-token-spec-token-spec-token';

/** What a request was answered. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface PostOptions {
  /** Default: a new one. Null sends none. */
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface StartOptions {
  /** Added to ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a fresh one, dropped at the end. */
  readonly database?: TestDatabase;
  /** The address under which the service itself reaches that database. */
  readonly throughUrl?: string;
}

/** A real orders service on databases of its own, with a gateway that charges everybody, and its HTTP client. */
export class OrdersService {
  private lastKey = 0;

  private constructor(
    private readonly service: ForkedService,
    private readonly database: TestDatabase,
    private readonly queues: TestDatabase,
    private readonly gateway: Server,
    private readonly pool: pg.Pool,
    readonly url: string,
  ) {}

  static async start({ env = {}, database, throughUrl }: StartOptions = {}): Promise<OrdersService> {
    const own = database ?? (await testDatabase());
    const queues = await testDatabase({ empty: true });
    const gateway = await startGateway();
    const service = forkService('apps/orders/src/main.ts', {
      env: {
        NODE_ENV: 'test',
        PORT: '0',
        DATABASE_URL: throughUrl ?? own.url,
        QUEUE_URL: queues.url,
        BUS_URL: queues.url,
        PAYMENT_GATEWAY_URL: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
        PAWL_ADMIN_TOKEN: ADMIN_TOKEN,
        PAWL_MESSAGE_KEYS: testKeysText,
        ...env,
      },
    });
    const pool = new pg.Pool({ connectionString: own.url, max: 2 });
    // Some specs restart the database under an idle connection.
    pool.on('error', () => undefined);
    const { port } = await service.ready<{ port: number }>();
    return new OrdersService(service, own, queues, gateway, pool, `http://127.0.0.1:${port}`);
  }

  get output(): string {
    return this.service.output;
  }

  /** Where its messages go. */
  get busUrl(): string {
    return this.queues.url;
  }

  get databaseUrl(): string {
    return this.database.url;
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.fetch(path, { headers });
  }

  /** Posts JSON, or a text as it is. */
  async post(path: string, body: unknown, { key, headers = {} }: PostOptions = {}): Promise<Reply> {
    const named = key === null ? {} : { 'Idempotency-Key': key ?? `key-${++this.lastKey}` };
    return this.fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...named, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  async rows<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(sql, [...values])).rows;
  }

  async stop(): Promise<void> {
    this.service.kill('SIGTERM');
    await this.service.exited;
    await this.pool.end();
    this.gateway.closeAllConnections();
    await new Promise((done) => this.gateway.close(done));
    await Promise.all([this.database.drop(), this.queues.drop()]);
  }

  private async fetch(path: string, init: RequestInit): Promise<Reply> {
    const response = await fetch(`${this.url}${path}`, init);
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    const body = (isJson ? JSON.parse(text) : {}) as Reply['body'];
    return { status: response.status, headers: response.headers, text, body };
  }
}

async function startGateway(): Promise<Server> {
  const gateway = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(201, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ chargeId: `c-${String(request.headers['idempotency-key'])}` }));
    });
  });
  await new Promise<void>((done) => gateway.listen(0, '127.0.0.1', done));
  gateway.unref();
  return gateway;
}
