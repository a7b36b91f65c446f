import { PawlError, type Transaction } from '@pawl/core';
import type { EntityManager } from 'typeorm';

/**
 * Runs a handler of a request or webhook with an EntityManager of the transaction, which is taken away when it ends, within a bounded time.
 * @throws PawlError `handler_timeout`; what the handler throws
 */
export async function handled<T>(
  tx: Transaction,
  timeoutMs: number,
  what: string,
  handle: (manager: EntityManager) => Promise<T> | T,
): Promise<T> {
  const lent = tx.lend();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = (): PawlError =>
      new PawlError('handler_timeout', `The handler of ${what} was not done within ${timeoutMs} ms.`);
    timer = setTimeout(() => reject(error()), timeoutMs);
  });
  try {
    return await Promise.race([handle(lent.manager), late]);
  } finally {
    clearTimeout(timer);
    lent.revoke();
  }
}
