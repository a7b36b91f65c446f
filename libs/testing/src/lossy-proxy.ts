import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Stands between an HTTP client and a server on loopback and loses replies: the request arrives, and instead of the answer the client sees a
 * connection that was reset. Whom it leads to may change, as when a server is replaced.
 */
export class LossyProxy {
  private readonly sockets = new Set<Socket>();
  private toLose = 0;
  /** Replies that were lost. */
  lost = 0;

  private constructor(
    private readonly server: Server,
    private target: URL,
  ) {
    server.on('connection', (client) => this.link(client));
  }

  /** @param url of the server */
  static async start(url: string): Promise<LossyProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LossyProxy(server, new URL(url));
  }

  /** The server's address, through the proxy. */
  get url(): string {
    const through = new URL(this.target);
    through.port = String((this.server.address() as AddressInfo).port);
    return through.href;
  }

  /** The next so many replies get lost. */
  loseReplies(count: number): void {
    this.toLose = count;
  }

  /** From now on connections lead there. Those that are open are reset: a client that keeps one alive would go on asking the old server. */
  leadTo(url: string): void {
    this.target = new URL(url);
    this.reset();
  }

  async close(): Promise<void> {
    this.reset();
    this.server.close();
    await once(this.server, 'close');
  }

  private reset(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private link(client: Socket): void {
    const { hostname, port } = this.target;
    const server = connect({ host: hostname, port: Number(port) });
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      // How a connection ends is not the proxy's business: it passes the end on.
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    }
    client.on('close', () => server.destroy()).pipe(server);
    server.on('close', () => client.resetAndDestroy());
    server.on('data', (chunk) => {
      if (client.destroyed) return;
      if (this.toLose === 0) return void client.write(chunk);
      this.toLose--;
      this.lost++;
      client.resetAndDestroy();
    });
  }
}
