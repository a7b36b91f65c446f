import type { DataSource } from 'typeorm';

interface ConnectionPool {
  on(event: 'connect', listener: (client: { on(event: 'error', listener: () => void): void }) => void): void;
}

const guarded = new WeakSet<object>();

/**
 * Keeps a pg pool's connections from ending the process. A server that dies may send its last words together with the first ones of
 * a new connection; they come before whoever asked for it can listen, and an error that nobody listens for is thrown. Who uses the
 * connection hears of it at the next statement.
 */
export function guardConnections(pool: ConnectionPool): void {
  if (guarded.has(pool)) return;
  guarded.add(pool);
  pool.on('connect', (client) => client.on('error', () => undefined));
}

/** The same for the pool of a DataSource. */
export function guardDataSource(dataSource: DataSource): void {
  const { master } = dataSource.driver as unknown as { master?: ConnectionPool };
  if (master !== undefined) guardConnections(master);
}
