import { EventEmitter } from 'node:events';
import { guardConnections } from './guard-connections.js';

it('lets a connection break before anybody listens', () => {
  const pool = new EventEmitter();
  guardConnections(pool);
  guardConnections(pool);
  const client = new EventEmitter();
  pool.emit('connect', client);
  expect(client.emit('error', new Error('terminating connection due to unexpected postmaster exit'))).toBe(
    true,
  );
  expect(client.listenerCount('error')).toBe(1);
});
