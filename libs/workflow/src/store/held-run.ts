import { statement, type Transaction } from '@pawl/core';
import { type Claim, readClaimed } from './claims.js';

const LOCK_HELD = statement(
  'lock_held_run',
  'select 1 from pawl.run where id = $1 and fencing_token = $2 for no key update',
);

const SET_NO_RETURN = statement(
  'set_no_return',
  'update pawl.run set no_return = $2 where id = $1 and no_return <> $2',
);

/**
 * Locks a run that this process holds, and reads it and its steps behind the lock: what runs side by side with the caller, and has begun or ended since
 * the run was claimed, is known then. Undefined if the run is lost.
 */
export async function lockHeld(
  tx: Transaction,
  runId: string,
  fencingToken: number,
): Promise<Claim | undefined> {
  const locked = await tx.query(LOCK_HELD, [runId, fencingToken]);
  return locked.length === 0 ? undefined : readClaimed(tx, runId, fencingToken);
}

/** Of a run that this transaction has locked: whether it can be undone. */
export async function setNoReturn(tx: Transaction, runId: string, noReturn: boolean): Promise<void> {
  await tx.query(SET_NO_RETURN, [runId, noReturn]);
}
