import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { FrameReader } from './postgres-frames.js';

/** A COMMIT that a {@link PostgresProxy} has caught on its way to the server; the test says what becomes of it. */
export interface CaughtCommit {
  /** Resolves once the COMMIT has come: from then on its transaction is in progress and nobody else can end it. */
  readonly caught: Promise<void>;
  /** Resets the client's connection, which thereby loses the reply. The server notices nothing. */
  cutClient(): void;
  /** Hands the COMMIT to the server, and resolves when the server has answered. */
  deliver(): Promise<void>;
  /** Ends both connections; the server rolls back. */
  lose(): void;
}

/**
 * Stands between an application and PostgreSQL on loopback and does what networks do: it stays silent, it resets, and it loses the reply to
 * a COMMIT. Point the application at `url(...)` of the server's own address.
 */
export class PostgresProxy {
  private readonly links = new Set<Link>();
  private readonly watches: Watch[] = [];
  private silent = false;

  private constructor(
    private readonly server: Server,
    private readonly target: { readonly host: string; readonly port: number },
  ) {
    server.on('connection', (client) => this.link(client));
  }

  /** @param url of the server, as an application would use it */
  static async start(url: string): Promise<PostgresProxy> {
    const { hostname, port } = new URL(url);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PostgresProxy(server, { host: hostname, port: Number(port) });
  }

  /** The same database, through the proxy. */
  url(direct: string): string {
    const through = new URL(direct);
    through.hostname = '127.0.0.1';
    through.port = String((this.server.address() as AddressInfo).port);
    return through.href;
  }

  /** How many connections are open through it. */
  get connections(): number {
    return this.links.size;
  }

  /** From now on nothing passes in either direction, and nobody is told; new connections are accepted and silent, too. */
  blackhole(): void {
    this.silent = true;
    for (const link of this.links) link.pause();
  }

  /** What was held back by `blackhole` goes on. */
  pass(): void {
    this.silent = false;
    for (const link of this.links) link.resume();
  }

  /** Resets all connections that are open now. */
  reset(): void {
    for (const link of [...this.links]) link.close();
  }

  /**
   * Catches the next COMMIT of a transaction that has used the statement named `after` (as the server knows it, `pawl_close_steps`),
   * or whose text has contained it.
   */
  catchCommit(after: string): CaughtCommit {
    const watch = new Watch(after);
    this.watches.push(watch);
    return watch;
  }

  async close(): Promise<void> {
    this.reset();
    this.server.close();
    await once(this.server, 'close');
  }

  private link(client: Socket): void {
    const link = new Link(client, connect(this.target), (used) => this.takeWatch(used));
    this.links.add(link);
    link.onClose(() => this.links.delete(link));
    if (this.silent) link.pause();
  }

  private takeWatch(used: readonly string[]): Watch | undefined {
    const place = this.watches.findIndex(({ after }) => used.some((text) => text.includes(after)));
    return place < 0 ? undefined : this.watches.splice(place, 1)[0];
  }
}

class Watch implements CaughtCommit {
  readonly caught: Promise<void>;
  private tell: () => void = () => undefined;
  private link: Link | undefined;

  constructor(readonly after: string) {
    this.caught = new Promise((resolve) => (this.tell = resolve));
  }

  take(link: Link): void {
    this.link = link;
    this.tell();
  }

  cutClient(): void {
    this.link?.cutClient();
  }

  async deliver(): Promise<void> {
    await this.link?.deliverHeld();
  }

  lose(): void {
    this.link?.close();
  }
}

/** One connection of the application and its counterpart at the server. */
class Link {
  private readonly toServer = new FrameReader({ startsUntyped: true });
  private readonly toClient = new FrameReader({ startsUntyped: false });
  /** Statements and texts used since the last COMMIT. */
  private used: string[] = [];
  private held: Buffer | undefined;
  private onCommitted: () => void = () => undefined;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly takeWatch: (used: readonly string[]) => Watch | undefined,
  ) {
    client.on('data', (chunk) => this.fromClient(chunk));
    server.on('data', (chunk) => this.fromServer(chunk));
    // How a connection ends is not the proxy's business: it passes the end on.
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.on('close', () => this.held ?? this.server.destroy());
    server.on('close', () => this.client.resetAndDestroy());
  }

  onClose(listener: () => void): void {
    this.server.on('close', listener);
  }

  pause(): void {
    this.client.pause();
    this.server.pause();
  }

  resume(): void {
    this.client.resume();
    this.server.resume();
  }

  cutClient(): void {
    this.client.resetAndDestroy();
  }

  close(): void {
    this.client.resetAndDestroy();
    this.server.destroy();
  }

  async deliverHeld(): Promise<void> {
    const committed = new Promise<void>((resolve) => (this.onCommitted = resolve));
    if (this.held) this.server.write(this.held);
    await committed;
    this.held = undefined;
    if (this.client.destroyed) this.server.destroy();
  }

  private fromClient(chunk: Buffer): void {
    for (const { bytes, type, strings } of this.toServer.read(chunk)) {
      if (this.held) {
        this.held = Buffer.concat([this.held, bytes]);
        continue;
      }
      const isCommit = type === 'Q' && /^commit;?$/i.test(strings[0] ?? '');
      const watch = isCommit ? this.takeWatch(this.used) : undefined;
      if (isCommit) this.used = [];
      else if ('QPB'.includes(type)) this.used.push(...strings);
      if (watch === undefined) {
        this.server.write(bytes);
        continue;
      }
      this.held = bytes;
      watch.take(this);
    }
  }

  private fromServer(chunk: Buffer): void {
    if (!this.client.destroyed) this.client.write(chunk);
    for (const { type, strings } of this.toClient.read(chunk)) {
      if (type === 'C' && strings[0] === 'COMMIT') this.onCommitted();
    }
  }
}
