import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { PawlError } from '@pawl/core';

// Below the range from which systems give ports to outgoing connections, so that a server which is restarted in a
// test finds its own port free again.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS_MAX = 50;

/** A loopback port that was free a moment ago. Whoever binds it has to be ready to ask for another. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new PawlError('no_free_port', `No free port on 127.0.0.1 among ${ATTEMPTS_MAX} tried`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false; // taken: that is the answer
  }
  server.close();
  await once(server, 'close');
  return true;
}
