import { PawlError, statement, type Transaction } from '@pawl/core';
import { v7 as uuidv7 } from 'uuid';
import type { Run } from '../model/run.js';
import { RUN_COLUMNS, type RunRow, toRun } from './run-row.js';

/** Names a run by what its users know. */
export interface RunAddress {
  readonly workflow: string;
  readonly key: string;
}

/** A run whose row this transaction has locked. */
export interface LockedRun {
  readonly run: Run;
  /** The row was made by this transaction: nobody else has seen it. */
  readonly fresh: boolean;
  /** A timer of the run is due, as of the start of the wait for the lock. */
  readonly timerDue: boolean;
  /** Events are stored for it that nobody has decided, as of the start of the wait for the lock. */
  readonly undecided: boolean;
  /** When it was locked, by the database's clock: the instant of events that arrive with this transaction. */
  readonly at: Date;
}

interface LockRow extends RunRow {
  readonly timer_due: boolean;
  readonly undecided: boolean;
  readonly at: Date;
}

// In the order of ids, as every batch does, so that two batches can not deadlock.
const LOCK_BY_ADDRESS = statement(
  'lock_runs_by_address',
  `select ${RUN_COLUMNS},
     exists (select 1 from pawl.timer t where t.run_id = r.id and t.fire_at <= clock_timestamp()) as timer_due,
     exists (select 1 from pawl.parked_event p
             where p.run_id is null and p.workflow = r.workflow and p.key = r.key) as undecided,
     clock_timestamp() as at
   from pawl.run r
   join (select distinct * from unnest($1::text[], $2::text[]) as a (workflow, key)) a using (workflow, key)
   order by r.id for no key update of r`,
);

// Closes D5: an event that comes before its run makes the run's row, so that there is always one row for both to lock.
const INSERT_AWAITED = statement(
  'insert_awaited_runs',
  `insert into pawl.run as r (id, workflow, key, status)
   select id, workflow, key, 'awaited' from unnest($1::uuid[], $2::text[], $3::text[]) as a (id, workflow, key)
   on conflict (workflow, key) do nothing
   returning ${RUN_COLUMNS}, false as timer_due, true as undecided, clock_timestamp() as at`,
);

const LOCK_BY_ID = statement(
  'lock_run_by_id',
  `select ${RUN_COLUMNS}, true as timer_due, true as undecided, clock_timestamp() as at
   from pawl.run r where r.id = $1 for no key update`,
);

const AWAITED_AT_LIMIT = statement(
  'awaited_at_limit',
  `select exists (
     select 1 from pawl.run r where r.workflow = $1 and r.status = 'awaited'
       and exists (select 1 from pawl.parked_event p where p.run_id = r.id and p.dead_letter_id is null)
     offset $2::bigint - 1) as full`,
);

/** Locks the rows of these runs, in the order of their ids; makes the rows that do not exist, as `awaited`. */
export async function lockRuns(tx: Transaction, addresses: readonly RunAddress[]): Promise<LockedRun[]> {
  const locked = await lockExisting(tx, addresses);
  const missing = without(addresses, locked);
  if (missing.length === 0) return locked;
  const made = await insertAwaited(tx, missing);
  const takenMeanwhile = without(missing, made);
  return [...locked, ...made, ...(takenMeanwhile.length > 0 ? await lockExisting(tx, takenMeanwhile) : [])];
}

/** Locks a run if there is one: who asks it something makes none. */
export async function lockKnownRun(tx: Transaction, address: RunAddress): Promise<LockedRun | undefined> {
  const [locked] = await lockExisting(tx, [address]);
  return locked;
}

/** Locks one run; undefined if retention has removed it. */
export async function lockRun(tx: Transaction, runId: string): Promise<LockedRun | undefined> {
  const [row] = await tx.query<LockRow>(LOCK_BY_ID, [runId]);
  return row && toLocked(row, false);
}

/**
 * Makes the row of a run, as `awaited`; undefined if there is one. Waits while another transaction makes it, and never locks a row that it has not
 * made, so that it can stand in a caller's own transaction.
 */
export async function makeRun(tx: Transaction, address: RunAddress): Promise<LockedRun | undefined> {
  const [made] = await insertAwaited(tx, [address]);
  return made;
}

/** @throws TooManyAwaitedError if `limit` runs of the workflow have events parked that wait for the start and are not dead letters yet. */
export async function assertAwaitedBelow(tx: Transaction, workflow: string, limit: number): Promise<void> {
  const [row] = await tx.query<{ full: boolean }>(AWAITED_AT_LIMIT, [workflow, limit]);
  if (row?.full) throw new TooManyAwaitedError(workflow, limit);
}

/** Too many events wait for runs that nobody has started; nothing was stored (HTTP: 429). */
export class TooManyAwaitedError extends PawlError {
  constructor(workflow: string, limit: number) {
    super(
      'too_many_awaited',
      `More than ${limit} runs of ${workflow} await their start event; try again later.`,
      {
        workflow,
        limit,
      },
    );
  }
}

async function lockExisting(tx: Transaction, addresses: readonly RunAddress[]): Promise<LockedRun[]> {
  const values = [addresses.map((a) => a.workflow), addresses.map((a) => a.key)];
  const rows = await tx.query<LockRow>(LOCK_BY_ADDRESS, values);
  return rows.map((row) => toLocked(row, false));
}

async function insertAwaited(tx: Transaction, addresses: readonly RunAddress[]): Promise<LockedRun[]> {
  const values = [
    addresses.map(() => uuidv7()),
    addresses.map((a) => a.workflow),
    addresses.map((a) => a.key),
  ];
  const rows = await tx.query<LockRow>(INSERT_AWAITED, values);
  return rows.map((row) => toLocked(row, true));
}

function toLocked(row: LockRow, fresh: boolean): LockedRun {
  return { run: toRun(row), fresh, timerDue: row.timer_due, undecided: row.undecided, at: row.at };
}

function without(addresses: readonly RunAddress[], locked: readonly LockedRun[]): RunAddress[] {
  const have = new Set(locked.map(({ run }) => addressKey(run)));
  const missing = new Map(addresses.filter((a) => !have.has(addressKey(a))).map((a) => [addressKey(a), a]));
  // In one order, so that two batches that make the same runs do not deadlock.
  return [...missing.values()].toSorted((a, b) => (addressKey(a) < addressKey(b) ? -1 : 1));
}

/** One text for an address, to be used as a key of a map. */
export function addressKey({ workflow, key }: RunAddress): string {
  return `${workflow}\n${key}`;
}
