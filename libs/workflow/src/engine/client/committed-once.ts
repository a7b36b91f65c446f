import { CommitUnknownError, isTrouble, type Transaction, type Transactions } from '@pawl/core';

/** A reply is lost with its connection; three in a row are trouble of another kind. */
const COMMIT_ATTEMPTS_MAX = 3;

/**
 * Runs work in a transaction of its own. After a lost COMMIT reply it is run again, and told so: it then looks, under the run's lock, whether what it
 * would do is done, before it does it.
 * @throws CommitUnknownError: it is done, or it is not
 */
export async function committedOnce<T>(
  transactions: Transactions,
  work: (tx: Transaction, inDoubt: boolean) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const inDoubt = attempt > 1;
    try {
      return await transactions.run(async (tx) => work(tx, inDoubt));
    } catch (error) {
      if (error instanceof CommitUnknownError && attempt < COMMIT_ATTEMPTS_MAX) continue;
      // An earlier COMMIT is still in doubt: nobody may say that nothing was stored.
      if (inDoubt && isTrouble(error)) throw new CommitUnknownError(error);
      throw error;
    }
  }
}
